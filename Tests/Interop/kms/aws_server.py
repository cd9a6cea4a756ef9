"""AWS KMS, STS and the metadata services: moto behind a gate that verifies every signature with botocore's signer.

Keys have the aliases `key` and `other`; the first is also `key/11111111-1111-4111-8111-111111111111`. Region
us-east-1, account 123456789012. Who may sign:

    AKIASTATIC      with `static-secret`
    AKIASESSION     with `session-secret` and the session token `session-token`
    what STS, the container's and the instance's metadata gave out; `role/brief` gets credentials that KMS calls
    expired after one request

`role/guarded` wants the external id `open sesame`; a web identity must be `web-identity-token`; the container's
metadata at /container wants the authorization `container-token`; the instance's wants a token of version 2.
"""

import base64
import datetime
import itertools
import json
import os
import re
import sys
import tempfile

import boto3
import botocore.exceptions
import moto.kms.models
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from service import Answer, Service, serve, working

REGION, ACCOUNT = "us-east-1", "123456789012"
KEY_ID = "11111111-1111-4111-8111-111111111111"
JSON_TYPE = "application/x-amz-json-1.1"


def kms_error(code, message="refused", status=400):
    return Answer(status, {"__type": code, "message": message}, {"Content-Type": JSON_TYPE})


def sts_error(code, message="refused", status=403):
    text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Answer(status, text.encode(), {"Content-Type": "text/xml"})


class AWS(Service):
    def __init__(self, base_url):
        super().__init__()
        self.base_url = base_url
        self.moto = Client(DomainDispatcherApplication(create_backend_app))
        self.secrets = {"AKIASTATIC": ("static-secret", None), "AKIASESSION": ("session-secret", "session-token")}
        self.brief = set()
        self.serial = itertools.count(1)
        ids = iter((KEY_ID, KEY_ID.replace("1", "2")))
        moto.kms.models.generate_key_id = lambda *_: next(ids)
        for name in ("key", "other"):
            key = self.to_moto("kms", "CreateKey", {})["KeyMetadata"]["KeyId"]
            self.to_moto("kms", "CreateAlias", {"AliasName": f"alias/{name}", "TargetKeyId": key})

    def to_moto(self, service, operation, members):
        headers = {
            "X-Amz-Target": f"TrentService.{operation}", "Content-Type": JSON_TYPE,
            "Authorization": f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"}
        return self.moto.post("/", headers=headers, data=json.dumps(members)).get_json(force=True)

    def answer(self, request):
        if request.path.startswith("/latest/"):
            return self.instance(request)
        if request.path == "/container":
            request.expect(request.headers.get("Authorization") == "container-token", "container token")
            return self.document()
        request.expect(request.method == "POST" and request.path == "/" and not request.query, "POST /")
        if "X-Amz-Target" in request.headers:
            return self.kms(request)
        return self.sts(request)

    # Signatures

    def verify(self, request, service, error):
        """Signs the request again with botocore and compares. Returns the access key's id."""
        given = request.headers.get("Authorization", "")
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z]+)/aws4_request, "
            r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", given)
        if not match:
            raise error("MissingAuthenticationToken")
        access_key, day, region, scope_service, signed, _ = match.groups()
        date = request.headers["X-Amz-Date"]
        now = datetime.datetime.now(datetime.timezone.utc)
        age = now - datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        request.expect((scope_service, day) == (service, date[:8]), "credential scope")
        if region != REGION:
            raise error(
                "InvalidSignatureException" if service == "kms" else "SignatureDoesNotMatch",
                "Credential should be scoped to a valid region. ")
        request.expect(abs(age) < datetime.timedelta(minutes=5), "date")
        secret, token = self.secrets.get(access_key, (None, None))
        if secret is None:
            raise error("UnrecognizedClientException" if service == "kms" else "InvalidClientTokenId")
        if request.headers.get("X-Amz-Security-Token") != token:
            raise error("UnrecognizedClientException" if service == "kms" else "InvalidClientTokenId")
        names = signed.split(";")
        must = {"host", "x-amz-date"} | ({"x-amz-target"} if service == "kms" else set())
        must |= {"x-amz-security-token"} if token else set()
        request.expect(must <= set(names), f"signed headers {names}")
        again = AWSRequest(
            method=request.method, url=request.url, data=request.body,
            headers={name: request.headers[name] for name in names if name != "x-amz-security-token"})
        again.context["timestamp"] = date
        signer = SigV4Auth(Credentials(access_key, secret, token), service, region)
        if token:
            again.headers["X-Amz-Security-Token"] = token
        canonical = signer.canonical_request(again)
        signature = signer.signature(signer.string_to_sign(again, canonical), again)
        if not given.endswith(f"Signature={signature}"):
            print(f"signature of {service} request\n{canonical}", file=sys.stderr, flush=True)
            # AWS repeats the request in this message, session token and all.
            raise error(
                "InvalidSignatureException" if service == "kms" else "SignatureDoesNotMatch",
                f"The request signature we calculated does not match. The Canonical String should have been\n{canonical}")
        return access_key

    # KMS

    def kms(self, request):
        access_key = self.verify(request, "kms", kms_error)
        request.expect(request.headers["Content-Type"] == JSON_TYPE, "Content-Type")
        operation = request.headers["X-Amz-Target"].removeprefix("TrentService.")
        members = json.loads(request.body)
        data = {"Encrypt": "Plaintext", "Decrypt": "CiphertextBlob"}.get(operation)
        request.expect(data and {"KeyId", data} <= set(members) <= {"KeyId", data, "EncryptionContext"}, "members")
        request.expect(members.get("EncryptionContext", {}) == {}, "context")
        base64.b64decode(members[data], validate=True)
        if access_key in self.brief and self.count(access_key) > 1:
            raise kms_error("ExpiredTokenException", "The security token included in the request is expired")
        arn = members["KeyId"]
        name = re.fullmatch(rf"arn:aws:kms:{REGION}:{ACCOUNT}:(?:alias/|key/)([A-Za-z0-9-]+)", arn)
        if not name:
            raise kms_error("NotFoundException", f"Invalid arn {REGION}")
        name = name[1]
        self.fault(name, kms_error("ThrottlingException", "You have exceeded the rate"))
        if name == "denied":
            raise kms_error("AccessDeniedException", f"User is not authorized to perform: kms:{operation}")
        if name == "disabled":
            raise kms_error("DisabledException", f"{arn} is disabled.")
        if name == "pending":
            raise kms_error("KMSInvalidStateException", f"{arn} is pending deletion.")
        members["KeyId"] = arn.replace(name, working(name)) if ":alias/" in arn else arn
        answer = self.relay(request, json.dumps(members).encode())
        if answer.status == 400 and b"AccessDeniedException" in answer.body:
            # What moto says when another key wrapped the bytes, for which KMS has a code of its own.
            raise kms_error("IncorrectKeyException")
        return answer

    def relay(self, request, body):
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        answer = self.moto.open(request.path, method=request.method, headers=headers, data=body)
        return Answer(answer.status_code, answer.data, {"Content-Type": answer.headers["Content-Type"]})

    # STS

    def sts(self, request):
        common = ("Action", "Version", "RoleArn", "RoleSessionName")
        fields = request.form(common, ("ExternalId", "DurationSeconds", "WebIdentityToken"))
        request.expect(fields["Version"] == "2011-06-15", "version")
        if fields["Action"] == "AssumeRole":
            self.verify(request, "sts", sts_error)
            request.expect("WebIdentityToken" not in fields, "web identity")
        else:
            request.expect(fields["Action"] == "AssumeRoleWithWebIdentity", "action")
            request.expect("Authorization" not in request.headers, "signed, which needs no credentials")
            if fields.get("WebIdentityToken") != "web-identity-token":
                raise sts_error("InvalidIdentityToken", status=400)
        role = fields["RoleArn"].rsplit("/", 1)[-1]
        if role == "throttled" and self.count(role) == 1:
            raise sts_error("Throttling", "Rate exceeded", 400)
        if role == "denied" or (role == "guarded" and fields.get("ExternalId") != "open sesame"):
            raise sts_error("AccessDenied", f"not authorized to perform: sts:{fields['Action']}")
        answer = self.relay(request, request.body)
        part = {
            name: re.search(f"<{name}>([^<]*)</{name}>", answer.body.decode())[1]
            for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
        self.secrets[part["AccessKeyId"]] = (part["SecretAccessKey"], part["SessionToken"])
        if role == "brief":
            self.brief.add(part["AccessKeyId"])
        return answer

    # Metadata

    def instance(self, request):
        if request.path == "/latest/api/token":
            request.expect(request.method == "PUT", "method")
            request.expect(int(request.headers["X-aws-ec2-metadata-token-ttl-seconds"]) in range(1, 21601), "ttl")
            return Answer(200, b"instance-token", {"Content-Type": "text/plain"})
        if request.headers.get("X-aws-ec2-metadata-token") != "instance-token":
            return Answer(401)
        roles = "/latest/meta-data/iam/security-credentials/"
        if request.path == roles:
            return Answer(200, b"the-role", {"Content-Type": "text/plain"})
        request.expect(request.path == roles + "the-role", "path")
        return self.document()

    def document(self):
        number = next(self.serial)
        access_key, secret, token = f"ASIAMETADATA{number}", f"metadata-secret-{number}", f"metadata-token-{number}"
        self.secrets[access_key] = (secret, token)
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        return Answer(200, {
            "Code": "Success", "AccessKeyId": access_key, "SecretAccessKey": secret, "Token": token,
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")})


def try_with_sdk(url):
    static = {"AWS_ACCESS_KEY_ID": "AKIASTATIC", "AWS_SECRET_ACCESS_KEY": "static-secret"}
    with tempfile.NamedTemporaryFile("w") as token, tempfile.NamedTemporaryFile("w") as config:
        token.write("web-identity-token")
        token.flush()
        config.write(
            "[profile base]\naws_access_key_id = AKIASTATIC\naws_secret_access_key = static-secret\n"
            f"[profile assumed]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/guarded\nexternal_id = open sesame\n"
            "source_profile = base\n")
        config.flush()
        for environment in (
            static,
            {"AWS_ACCESS_KEY_ID": "AKIASESSION", "AWS_SECRET_ACCESS_KEY": "session-secret", "AWS_SESSION_TOKEN": "session-token"},
            {"AWS_WEB_IDENTITY_TOKEN_FILE": token.name, "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/web"},
            {"AWS_PROFILE": "assumed"},
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token"},
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url},
        ):
            os.environ = {
                **{name: value for name, value in original.items() if not name.startswith("AWS_")},
                **environment, "AWS_ENDPOINT_URL": url, "AWS_CONFIG_FILE": config.name,
                "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
            kms = boto3.Session(region_name=REGION).client("kms")
            key = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/key"
            blob = kms.encrypt(KeyId=key, Plaintext=b"a data key")["CiphertextBlob"]
            assert kms.decrypt(KeyId=key, CiphertextBlob=blob)["Plaintext"] == b"a data key"
    for name, code in (("denied", "AccessDeniedException"), ("disabled", "DisabledException"), ("missing", "NotFoundException")):
        try:
            kms.encrypt(KeyId=key.replace("alias/key", f"alias/{name}"), Plaintext=b"a data key")
            raise AssertionError(f"{name} was not refused")
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == code, error


if __name__ == "__main__":
    original = dict(os.environ)
    serve(AWS, try_with_sdk)
