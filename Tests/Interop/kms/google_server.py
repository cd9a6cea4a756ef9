"""Google Cloud KMS, its token services and the metadata server: `google_server.py DIRECTORY`.

Writes credentials to DIRECTORY: `service-account.json`, `brief.json` (a service account whose tokens are good for one
request), `user.json`, `external-file.json`, `external-url.json` and `impersonating.json`. Keys `key` and `other` in
projects/p/locations/global/keyRings/r. Damages checksums of the keys `damaged-answer` and `damaged-request`.
"""

import base64
import datetime
import itertools
import json
import os
import re
import sys

import google_crc32c
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.auth import jwt

from service import Answer, Service, serve, working

RING = "projects/p/locations/global/keyRings/r/cryptoKeys"
SCOPES = {"https://www.googleapis.com/auth/cloudkms", "https://www.googleapis.com/auth/cloud-platform"}
IAM = "https://www.googleapis.com/auth/iam"
EMAILS = ("account@p.iam.gserviceaccount.com", "brief@p.iam.gserviceaccount.com")
AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider"


def refusal(code, status, message):
    return Answer(code, {"error": {"code": code, "message": message, "status": status}})


class Google(Service):
    def __init__(self, base_url):
        super().__init__()
        self.base_url = base_url
        self.keys = {name: AESGCM(os.urandom(32)) for name in ("key", "other")}
        self.signer = rsa.generate_private_key(65537, 2048)
        self.public = self.signer.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.tokens = {}
        self.serial = itertools.count(1)
        self.write_credentials(sys.argv[1])

    def write_credentials(self, directory):
        pem = self.signer.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        account = {
            "type": "service_account", "project_id": "p", "private_key_id": "key-1", "private_key": pem,
            "client_email": EMAILS[0], "client_id": "1", "token_uri": f"{self.base_url}/token"}
        subject = os.path.join(directory, "subject")
        external = {
            "type": "external_account", "audience": AUDIENCE, "token_url": f"{self.base_url}/sts",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": {"file": subject}}
        url = {"url": f"{self.base_url}/subject", "headers": {"X-Subject": "yes"},
               "format": {"type": "json", "subject_token_field_name": "id_token"}}
        impersonation = f"{self.base_url}/v1/projects/-/serviceAccounts/{EMAILS[0]}:generateAccessToken"
        for name, content in {
            "service-account.json": json.dumps(account),
            "brief.json": json.dumps({**account, "client_email": EMAILS[1]}),
            "user.json": json.dumps({
                "type": "authorized_user", "client_id": "user-client", "client_secret": "user-secret",
                "refresh_token": "refresh-token", "token_uri": f"{self.base_url}/token", "quota_project_id": "paying"}),
            "external-file.json": json.dumps(external),
            "external-url.json": json.dumps({**external, "credential_source": url}),
            "impersonating.json": json.dumps({**external, "service_account_impersonation_url": impersonation}),
            "subject": "subject-token",
        }.items():
            with open(os.path.join(directory, name), "w") as file:
                file.write(content)

    def answer(self, request):
        routes = {"/token": self.token, "/sts": self.exchange, "/subject": self.subject}
        if request.path in routes:
            return routes[request.path](request)
        if request.path.startswith("/computeMetadata/"):
            return self.metadata(request)
        if request.path.endswith(":generateAccessToken"):
            return self.impersonate(request)
        return self.kms(request)

    # Tokens

    def issue(self, uses=None, scopes=SCOPES, quota=None):
        token = f"ya29.{next(self.serial)}"
        self.tokens[token] = (uses, set(scopes), quota)
        return token

    def lease(self, **how):
        return Answer(200, {"access_token": self.issue(**how), "expires_in": 3600, "token_type": "Bearer"})

    def token(self, request):
        kind = dict(pair.split("=", 1) for pair in request.body.decode().split("&")).get("grant_type", "")
        if kind == "refresh_token":
            fields = request.form(("grant_type", "client_id", "client_secret", "refresh_token"), ("scope",))
            if (fields["client_id"], fields["client_secret"], fields["refresh_token"]) != ("user-client", "user-secret", "refresh-token"):
                return Answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
            return self.lease(quota="paying")
        fields = request.form(("grant_type", "assertion"))
        request.expect(fields["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer", "grant type")
        # google-auth names Google's own token service whatever address it asks.
        claims = self.verify(fields["assertion"], [f"{self.base_url}/token", "https://oauth2.googleapis.com/token"])
        if not claims:
            return Answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        request.expect(set(claims["scope"].split()) <= SCOPES, "scope")
        return self.lease(uses=1 if claims["iss"] == EMAILS[1] else None)

    def verify(self, assertion, audience):
        """The claims of a token that the service account signed for an audience, by google-auth's own rules."""
        try:
            header = jwt.decode_header(assertion)
            claims = jwt.decode(assertion, certs=self.public, audience=audience)
        except ValueError as error:
            print(f"assertion: {error}", file=sys.stderr, flush=True)
            return None
        sound = header["alg"] == "RS256" and header["typ"] == "JWT" and header["kid"] == "key-1"
        return claims if sound and claims["iss"] in EMAILS and claims["exp"] - claims["iat"] <= 3600 else None

    def subject(self, request):
        request.expect(request.headers.get("X-Subject") == "yes", "header of the credential source")
        return Answer(200, {"id_token": "subject-token"})

    def exchange(self, request):
        fields = request.form(
            ("grant_type", "audience", "scope", "requested_token_type", "subject_token", "subject_token_type"))
        request.expect(fields["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange", "grant type")
        request.expect(fields["audience"] == AUDIENCE, "audience")
        request.expect(fields["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token", "type")
        request.expect(fields["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt", "subject type")
        request.expect(set(fields["scope"].split()) <= SCOPES | {IAM}, f"scope {fields['scope']}")
        if fields["subject_token"] != "subject-token":
            return Answer(400, {"error": "invalid_grant", "error_description": "The subject token is not accepted."})
        return self.lease(scopes=fields["scope"].split())

    def impersonate(self, request):
        _, scopes, _ = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "), (None, set(), None))
        if IAM not in scopes:
            return refusal(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
        members = request.json(("scope", "lifetime"), ("delegates",))
        request.expect(set(members["scope"]) <= SCOPES and members["lifetime"] == "3600s", "scope or lifetime")
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        return Answer(200, {"accessToken": self.issue(), "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def metadata(self, request):
        request.expect(request.headers.get("Metadata-Flavor") == "Google", "Metadata-Flavor")
        flavor = {"Metadata-Flavor": "Google"}
        if request.path == "/computeMetadata/v1/instance/service-accounts/default/":
            return Answer(200, {"email": EMAILS[0], "scopes": sorted(SCOPES), "aliases": ["default"]}, flavor)
        if request.path in ("/computeMetadata/v1/universe/universe-domain", "/computeMetadata/v1/universe/universe_domain"):
            return Answer(200, b"googleapis.com", {**flavor, "Content-Type": "text/plain"})
        accounts = re.fullmatch(r"/computeMetadata/v1/instance/service-accounts/([^/]+)/token", request.path)
        request.expect(accounts and accounts[1] in ("default", EMAILS[0]), "path")
        request.expect(set(request.query.get("scopes", "").split(",")) <= SCOPES | {""}, "scopes")
        answer = self.lease()
        return Answer(200, answer.body, {**answer.headers, **flavor})

    # Keys

    def kms(self, request):
        request.expect(request.method == "POST" and set(request.query) <= {"$alt"}, "method or query")
        parts = re.fullmatch(rf"/v1/({RING}/([A-Za-z0-9-]+))(/cryptoKeyVersions/\d+)?:(encrypt|decrypt)", request.path)
        if not parts:
            return refusal(404, "NOT_FOUND", "The requested URL was not found on this server.")
        full, name, version, operation = parts.groups()
        self.authorize(request)
        self.fault(name, refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Cryptographic requests'."))
        if name == "denied":
            return refusal(403, "PERMISSION_DENIED", f"Permission 'cloudkms.cryptoKeyVersions.useTo' denied on resource '{full}'.")
        if name == "disabled":
            return refusal(400, "FAILED_PRECONDITION", f"{full}/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.")
        if name == "pending":
            return refusal(400, "FAILED_PRECONDITION", f"{full}/cryptoKeyVersions/1 is not enabled, current state is: DESTROY_SCHEDULED.")
        key = self.keys.get("key" if name.startswith("damaged-") else working(name))
        if not key:
            return refusal(404, "NOT_FOUND", f"CryptoKey {full} not found.")
        request.expect(operation == "encrypt" or not version, "decryption with a version")
        return getattr(self, operation)(request, key, full, name)

    def authorize(self, request):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        uses, _, quota = self.tokens.get(token, (0, None, None))
        if uses == 0 and self.verify(token, "https://cloudkms.googleapis.com/"):
            return  # What Google's own client sends in place of a token: a token it signed itself.
        if uses == 0 or (uses and self.count(token) > uses):
            raise refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        request.expect(request.headers.get("x-goog-user-project") == quota, "quota project")

    def input(self, request, member, name):
        """The bytes of a member, and whether there was a checksum, which must be right."""
        members = request.json((member,), (f"{member}Crc32c", "additionalAuthenticatedData"))
        request.expect(members.get("additionalAuthenticatedData", "") == "", "associated data")
        data = base64.b64decode(members[member], validate=True)
        checksum = members.get(f"{member}Crc32c")
        if checksum is not None and (name == "damaged-request" or int(checksum) != google_crc32c.value(data)):
            raise refusal(400, "INVALID_ARGUMENT", "The checksum in field does not match the data.")
        return data, checksum is not None

    def encrypt(self, request, key, full, name):
        plain, verified = self.input(request, "plaintext", "key")
        iv = os.urandom(12)
        sealed = b"\x0a\x24" + iv + key.encrypt(iv, plain, None)
        return Answer(200, {
            "name": f"{full}/cryptoKeyVersions/1", "ciphertext": base64.b64encode(sealed).decode(),
            "ciphertextCrc32c": str(google_crc32c.value(sealed) ^ (name == "damaged-answer")),
            "verifiedPlaintextCrc32c": verified and name != "damaged-request", "protectionLevel": "SOFTWARE"})

    def decrypt(self, request, key, full, name):
        sealed, _ = self.input(request, "ciphertext", name)
        try:
            if sealed[:2] != b"\x0a\x24":
                raise InvalidTag
            plain = key.decrypt(sealed[2:14], sealed[14:], None)
        except (InvalidTag, ValueError):
            return refusal(400, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.")
        return Answer(200, {
            "plaintext": base64.b64encode(plain).decode(), "usedPrimary": True, "protectionLevel": "SOFTWARE",
            "plaintextCrc32c": str(google_crc32c.value(plain) ^ (name == "damaged-answer"))})


def try_with_sdk(url):
    os.environ["GCE_METADATA_HOST"] = url.removeprefix("http://")
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth import identity_pool
    from google.auth.compute_engine import Credentials as MachineCredentials
    from google.auth.transport.requests import Request
    from google.cloud import kms_v1
    from google.oauth2 import service_account
    from google.oauth2.credentials import Credentials

    scopes = ["https://www.googleapis.com/auth/cloudkms"]
    path = lambda name: os.path.join(sys.argv[1], name)
    identities = [
        service_account.Credentials.from_service_account_file(path("service-account.json"), scopes=scopes),
        Credentials(
            None, refresh_token="refresh-token", token_uri=f"{url}/token", client_id="user-client",
            client_secret="user-secret", quota_project_id="paying"),
        *(identity_pool.Credentials.from_file(path(name), scopes=scopes)
          for name in ("external-file.json", "external-url.json", "impersonating.json"))]
    key, plain = f"{RING}/key", b"a data key"
    for identity in identities + [MachineCredentials(scopes=scopes)]:
        identity.refresh(Request())
        # A token, so that the client does not sign one itself.
        credentials = Credentials(identity.token, quota_project_id=getattr(identity, "quota_project_id", None))
        client = kms_v1.KeyManagementServiceClient(credentials=credentials, transport="rest", client_options={"api_endpoint": url})
        sealed = client.encrypt(request={
            "name": key, "plaintext": plain, "plaintext_crc32c": {"value": google_crc32c.value(plain)}})
        assert sealed.verified_plaintext_crc32c and sealed.ciphertext_crc32c == google_crc32c.value(sealed.ciphertext)
        opened = client.decrypt(request={
            "name": key, "ciphertext": sealed.ciphertext, "ciphertext_crc32c": {"value": sealed.ciphertext_crc32c}})
        assert opened.plaintext == plain and opened.plaintext_crc32c == google_crc32c.value(plain)
    for name, code in (("denied", 403), ("disabled", 400), ("missing", 404)):
        try:
            client.encrypt(request={
                "name": f"{RING}/{name}", "plaintext": plain, "plaintext_crc32c": {"value": google_crc32c.value(plain)}})
            raise AssertionError(f"{name} was not refused")
        except GoogleAPICallError as error:
            assert error.code == code, error


if __name__ == "__main__":
    serve(Google, try_with_sdk)
