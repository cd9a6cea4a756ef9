"""Azure Key Vault, Microsoft Entra ID and the managed identity services: `azure_server.py CA_FILE`.

Speaks TLS under any name below `localhost`, with an authority made for the run, whose certificate it writes to
CA_FILE. Keys `key` and `other` (RSA-2048) have a version of 32 digits; `rotated` has two, of which the first can only
decrypt, `unreadable` may be used but not read.

    client `client-1` of tenant `tenant-1`   secret `client-secret`, or the assertion `federated-token`
    client `brief`                           its tokens are good for one request
    /msi/token                               App Service: X-IDENTITY-HEADER `identity-header`
    /metadata/identity/oauth2/token          the machine: Metadata `true`
"""

import base64
import datetime
import ipaddress
import itertools
import os
import re
import ssl
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from service import Answer, Service, resolve_localhost, serve, working

OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
VERSIONS = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(request, text):
    request.expect(re.fullmatch(r"[A-Za-z0-9_-]+", text), "value is not base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def refusal(status, code, message, inner=None, headers=None):
    error = {"code": code, "message": message, **({"innererror": {"code": inner}} if inner else {})}
    return Answer(status, {"error": error}, headers)


class Azure(Service):
    def __init__(self, base_url):
        super().__init__()
        self.port = base_url.rsplit(":", 1)[1]
        self.resource = f"https://localhost:{self.port}"
        keys = {name: rsa.generate_private_key(65537, 2048) for name in ("key", "other", "old")}
        self.versions = {
            "key": {VERSIONS[0]: keys["key"]}, "other": {VERSIONS[0]: keys["other"]},
            "rotated": {VERSIONS[1]: keys["old"], VERSIONS[0]: keys["key"]}, "unreadable": {VERSIONS[0]: keys["key"]}}
        self.tokens = {}
        self.serial = itertools.count(1)

    def answer(self, request):
        host = request.headers["Host"].split(":")[0]
        if request.path.startswith("/keys/"):
            request.expect(host == "vault.localhost", "host")
            return self.vault(request)
        if request.path == "/msi/token":
            request.expect(request.headers.get("X-IDENTITY-HEADER") == "identity-header", "identity header")
            return self.machine(request, "2019-08-01")
        if request.path == "/metadata/identity/oauth2/token":
            request.expect(request.headers.get("Metadata") == "true", "Metadata")
            return self.machine(request, "2018-02-01")
        request.expect(host == "login.localhost", "host")
        return self.log_in(request)

    # Tokens

    def issue(self, uses=None):
        token = f"eyJ.{next(self.serial)}"
        self.tokens[token] = uses
        return token

    def machine(self, request, version):
        request.expect(request.method == "GET", "method")
        request.expect(request.query.pop("api-version") == version, "api-version")
        # azure-identity asks for the scope without its end, or with it.
        request.expect(request.query.pop("resource").removesuffix("/.default") == self.resource, "resource")
        client = request.query.pop("client_id", None)
        request.expect(not request.query, f"query {request.query}")
        if client == "nobody":
            return Answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
        return Answer(200, {"access_token": self.issue(), "expires_in": "3600", "token_type": "Bearer",
                            "expires_on": str(int(datetime.datetime.now().timestamp()) + 3600), "resource": self.resource})

    def log_in(self, request):
        if request.path == "/tenant-1/v2.0/.well-known/openid-configuration":
            login = f"https://login.localhost:{self.port}/tenant-1"
            return Answer(200, {
                "token_endpoint": f"{login}/oauth2/v2.0/token", "issuer": f"{login}/v2.0",
                "authorization_endpoint": f"{login}/oauth2/v2.0/authorize"})
        request.expect(request.method == "POST" and not request.query, "method")
        request.expect(request.path == "/tenant-1/oauth2/v2.0/token", "path")
        fields = request.form(
            ("grant_type", "client_id", "scope"),
            ("client_secret", "client_assertion", "client_assertion_type", "client_info", "claims"))
        request.expect(fields["grant_type"] == "client_credentials", "grant type")
        request.expect(fields["scope"] == f"{self.resource}/.default", "scope")
        if "client_assertion" in fields:
            request.expect(
                fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "type")
            accepted = fields["client_assertion"] == "federated-token"
        else:
            accepted = fields["client_secret"] == "client-secret"
        if not accepted or fields["client_id"] not in ("client-1", "brief"):
            return Answer(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."})
        uses = 1 if fields["client_id"] == "brief" else None
        return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": self.issue(uses)})

    # Keys

    def vault(self, request):
        request.expect(re.fullmatch(r"7\.\d+|20\d\d-\d\d-\d\d", request.query.pop("api-version", "")), "api-version")
        request.expect(not request.query, "query")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        uses = self.tokens.get(token, 0)
        if uses == 0 or (uses and self.count(token) > uses):
            raise refusal(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.", headers={
                "WWW-Authenticate": f'Bearer authorization="https://login.localhost:{self.port}/tenant-1", resource="{self.resource}"'})
        parts = re.fullmatch(r"/keys/([A-Za-z0-9-]+)/([A-Za-z0-9]*)(?:/(encrypt|decrypt))?", request.path)
        request.expect(parts, "path")
        name, version, operation = parts.groups()
        request.expect(request.method == ("POST" if operation else "GET"), "method")
        self.fault(name, refusal(429, "Throttled", "Request was not processed because too many requests were received."))
        if name == "denied":
            raise refusal(403, "Forbidden", "Caller is not authorized to perform action on resource.", "ForbiddenByRbac")
        if name == "disabled":
            raise refusal(403, "Forbidden", "Operation is not allowed on a disabled key.", "KeyDisabled")
        if name == "pending":
            raise refusal(409, "Conflict", "Key is currently being deleted.", "ObjectIsBeingDeleted")
        if name == "unreadable" and not operation:
            raise refusal(403, "Forbidden", "The user does not have keys get permission.", "AccessDenied")
        versions = self.versions.get(working(name), {})
        version = version or next(reversed(versions), None)
        key = versions.get(version)
        if not key:
            raise refusal(404, "KeyNotFound", f"A key with (name/id) {name} was not found in this key vault.")
        identifier = f"https://{request.headers['Host']}/keys/{name}/{version}"
        if operation:
            return self.operate(request, operation, key, identifier)
        numbers = key.public_key().public_numbers()
        return Answer(200, {
            "key": {
                "kid": identifier, "kty": "RSA", "key_ops": ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"],
                "n": encode(numbers.n.to_bytes(256, "big")), "e": encode(numbers.e.to_bytes(3, "big"))},
            "attributes": {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable+Purgeable"}})

    def operate(self, request, operation, key, identifier):
        members = request.json(("alg", "value"))
        request.expect(members["alg"] == "RSA-OAEP-256", "algorithm")
        value = decode(request, members["value"])
        try:
            result = key.public_key().encrypt(value, OAEP) if operation == "encrypt" else key.decrypt(value, OAEP)
        except ValueError:
            raise refusal(400, "BadParameter", "The parameter is incorrect.")
        return Answer(200, {"kid": identifier, "value": encode(result)})


def make_certificates(ca_file):
    """An authority, written to `ca_file`, and a context with a certificate for every name below localhost."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(subject, key, issuer, issuer_key, extensions):
        name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(*[index in (5, 6) for index in range(9)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    with open(ca_file, "wb") as file:
        file.write(certificate("tests", authority, "tests", authority, [
            (x509.BasicConstraints(True, None), True), (usage, True), (identifier, False)]))
    names = x509.SubjectAlternativeName([
        x509.DNSName("vault.localhost"), x509.DNSName("login.localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate("server", server, "tests", authority, [
            (names, False), (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)]))
        file.write(server.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        file.flush()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file.name)
    return context


def try_with_sdk(url):
    from azure.core.exceptions import HttpResponseError
    from azure.identity import ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential
    from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm

    port = url.rsplit(":", 1)[1]
    login, vault = f"https://login.localhost:{port}", f"https://vault.localhost:{port}"
    os.environ["IDENTITY_ENDPOINT"], os.environ["IDENTITY_HEADER"] = f"{login}/msi/token", "identity-header"
    here = {"authority": login, "disable_instance_discovery": True}
    with tempfile.NamedTemporaryFile("w") as token:
        token.write("federated-token")
        token.flush()
        for credential in (
            ClientSecretCredential("tenant-1", "client-1", "client-secret", **here),
            WorkloadIdentityCredential(tenant_id="tenant-1", client_id="client-1", token_file_path=token.name, **here),
            ManagedIdentityCredential(),
        ):
            for name in ("key", f"key/{VERSIONS[0]}", "unreadable"):
                client = CryptographyClient(f"{vault}/keys/{name}", credential)
                sealed = client.encrypt(EncryptionAlgorithm.rsa_oaep_256, b"a data key").ciphertext
                assert client.decrypt(EncryptionAlgorithm.rsa_oaep_256, sealed).plaintext == b"a data key"
    for name, status in (("denied", 403), ("disabled", 403), ("missing", 404)):
        try:
            CryptographyClient(f"{vault}/keys/{name}", credential).encrypt(EncryptionAlgorithm.rsa_oaep_256, b"a data key")
            raise AssertionError(f"{name} was not refused")
        except HttpResponseError as error:
            assert error.status_code == status, error


if __name__ == "__main__":
    resolve_localhost()
    os.environ["REQUESTS_CA_BUNDLE"] = sys.argv[1]
    serve(Azure, try_with_sdk, "vault.localhost", make_certificates(sys.argv[1]))
