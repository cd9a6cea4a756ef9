"""The transit engine of Vault, as far as clients that wrap keys see it.

Mounts `transit` and `teams/billing/transit`. Tokens: `root-token`, and `team-token` in the namespace `team`.
AppRole `role-1` logs in with `secret-1`; the tokens of `role-brief` with `secret-brief` are good for one request.
"""

import base64
import itertools
import os
import re

import hvac
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service import Answer, Service, serve, working

MOUNTS = ("transit", "teams/billing/transit")
ROLES = {"role-1": ("secret-1", None), "role-brief": ("secret-brief", 1)}


def refusal(status, *errors):
    return Answer(status, {"errors": list(errors)})


class Vault(Service):
    def __init__(self, _):
        super().__init__()
        self.keys = {name: AESGCM(os.urandom(32)) for name in ("key", "other")}
        self.tokens = {"root-token": ("", None), "team-token": ("team", None)}
        self.serial = itertools.count(1)

    def answer(self, request):
        request.expect(request.headers.get("X-Vault-Request") == "true", "X-Vault-Request")
        request.expect(request.method == "POST" and not request.query, "method or query")
        if request.path == "/v1/auth/approle/login":
            return self.log_in(request)
        self.authorize(request)
        parts = re.fullmatch(r"/v1/(.+)/(encrypt|decrypt)/([^/]+)", request.path)
        if not parts or parts[1] not in MOUNTS:
            return refusal(404, f'no handler for route "{request.path[4:]}". route entry not found.')
        operation, name = parts[2], parts[3]
        self.fault(name, refusal(429, "request path: rate limit quota exceeded"))
        if name == "denied":
            return refusal(403, "1 error occurred:\n\t* permission denied\n\n")
        if name in ("disabled", "pending"):
            return refusal(400, "key is soft-deleted")
        return getattr(self, operation)(request, self.keys.get(working(name)))

    def log_in(self, request):
        request.expect("X-Vault-Token" not in request.headers, "a token with the login")
        fields = request.json(("role_id", "secret_id"))
        secret, uses = ROLES.get(fields["role_id"], (None, None))
        if secret != fields["secret_id"]:
            return refusal(400, "invalid role or secret ID")
        token = f"hvs.{next(self.serial)}"
        self.tokens[token] = (request.headers.get("X-Vault-Namespace", ""), uses)
        return Answer(200, {"auth": {"client_token": token, "lease_duration": 3600, "renewable": True}})

    def authorize(self, request):
        token = request.headers.get("X-Vault-Token")
        namespace, uses = self.tokens.get(token, (None, None))
        if namespace != request.headers.get("X-Vault-Namespace", ""):
            raise refusal(403, "permission denied")
        if uses is not None and self.count(token) > uses:
            raise refusal(403, "permission denied", "invalid token")

    def encrypt(self, request, key):
        members = request.json(("plaintext",), ("context",))
        request.expect(members.get("context", "") == "", "context")
        if not key:
            # The genuine one makes the key when the token may.
            return refusal(400, "encryption key not found")
        iv = os.urandom(12)
        sealed = iv + key.encrypt(iv, base64.b64decode(members["plaintext"], validate=True), None)
        return Answer(200, {"data": {"ciphertext": f"vault:v1:{base64.b64encode(sealed).decode()}", "key_version": 1}})

    def decrypt(self, request, key):
        members = request.json(("ciphertext",), ("context",))
        request.expect(members.get("context", "") == "", "context")
        if not key:
            return refusal(400, "encryption key not found")
        if not members["ciphertext"].startswith("vault:v1:"):
            return refusal(400, "invalid ciphertext: no prefix")
        try:
            sealed = base64.b64decode(members["ciphertext"][9:], validate=True)
            plain = key.decrypt(sealed[:12], sealed[12:], None)
        except ValueError:
            return refusal(400, "invalid ciphertext: could not decode base64")
        except InvalidTag:
            return refusal(400, "cipher: message authentication failed")
        return Answer(200, {"data": {"plaintext": base64.b64encode(plain).decode()}})


def try_with_sdk(url):
    client = hvac.Client(url=url, token="team-token", namespace="team")
    for mount in MOUNTS:
        plaintext = base64.b64encode(b"a data key").decode()
        transit = client.secrets.transit
        wrapped = transit.encrypt_data(name="key", plaintext=plaintext, mount_point=mount)["data"]["ciphertext"]
        assert transit.decrypt_data(name="key", ciphertext=wrapped, mount_point=mount)["data"]["plaintext"] == plaintext
    client = hvac.Client(url=url)
    client.auth.approle.login(role_id="role-1", secret_id="secret-1")
    client.secrets.transit.encrypt_data(name="key", plaintext=plaintext)
    for name, error in (("denied", hvac.exceptions.Forbidden), ("missing", hvac.exceptions.InvalidRequest)):
        try:
            client.secrets.transit.encrypt_data(name=name, plaintext=plaintext)
            raise AssertionError(f"{name} was not refused")
        except error:
            pass


if __name__ == "__main__":
    serve(Vault, try_with_sdk)
