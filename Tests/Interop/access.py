"""Lets the genuine Python client call a registry with access control, once in every role for every operation.

    python access.py RESEAL

prints {"case": NAME, "problem": TEXT or null} for every role, operation and kind of key; exits 0 when the report is
complete, whatever it says.
"""

import json
import sys
import tempfile

from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekAlgorithm, DekRegistryClient

from world import Sandbox

# Confluent's predefined roles, and what each may do.
ROLES = {
    "ResourceOwner": {"create", "read", "update", "delete"},
    "DeveloperRead": {"read"},
    "DeveloperWrite": {"create", "read", "update"},
}
MATERIAL = "AAAA"
DENIED = 40301


def access_control() -> dict:
    """One principal for each role on what it is to touch, half of them with tokens, and one for setting things up."""
    names = ["setup", *ROLES]
    bindings = [
        {"principal": "setup", "role": "ResourceOwner", "resource": f"{kind}:", "prefix": True}
        for kind in ("Kek", "Subject")]
    for role in ROLES:
        bindings += [
            {"principal": role, "role": role, "resource": f"Kek:{role}-", "prefix": True},
            {"principal": role, "role": role, "resource": f"Subject:{role}-", "prefix": True}]
    principals = [
        {"name": name, "token": f"token of {name}".replace(" ", "-")} if name == "DeveloperRead"
        else {"name": name, "password": f"password of {name}"} for name in names]
    return {"principals": principals, "bindings": bindings}


def client(registry: str, name: str) -> DekRegistryClient:
    if name == "DeveloperRead":
        return DekRegistryClient({
            "url": registry, "bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": f"token-of-{name}",
            "bearer.auth.logical.cluster": "lsrc-1", "bearer.auth.identity.pool.id": "pool-1"})
    return DekRegistryClient({"url": registry, "basic.auth.user.info": f"{name}:password of {name}"})


class Kek:
    """Operations on a KEK. The client has no calls to update and delete, so its HTTP part does those."""

    kind = "Kek"

    def __init__(self, name: str):
        self.name = name
        self.path = f"dek-registry/v1/keks/{name}"

    def create(self, caller: DekRegistryClient):
        caller.register_kek(self.name, "local-kms", "mykey")

    def read(self, caller: DekRegistryClient):
        caller.get_kek(self.name)

    def update(self, caller: DekRegistryClient):
        caller._rest_client.put(self.path, {"doc": "changed"})

    def delete(self, caller: DekRegistryClient):
        caller._rest_client.delete(self.path)


class Dek:
    """Operations on a DEK. An update is wrapping it anew."""

    kind = "Dek"

    def __init__(self, kek: str, subject: str):
        self.kek = kek
        self.subject = subject
        self.path = f"dek-registry/v1/keks/{kek}/deks/{subject}"

    def create(self, caller: DekRegistryClient):
        caller.register_dek(self.kek, self.subject, MATERIAL, DekAlgorithm.AES256_GCM, 1)

    def read(self, caller: DekRegistryClient):
        caller.get_dek(self.kek, self.subject, DekAlgorithm.AES256_GCM, 1)

    def update(self, caller: DekRegistryClient):
        caller._rest_client.post(f"{self.path}?rewrap=true", {"encryptedKeyMaterial": MATERIAL})

    def delete(self, caller: DekRegistryClient):
        caller._rest_client.delete(f"{self.path}/versions/1")


def problem(role: str, operation: str, key, caller: DekRegistryClient) -> str | None:
    try:
        getattr(key, operation)(caller)
        outcome = "allowed"
    except SchemaRegistryError as error:
        if error.http_status_code != 403:
            return f"failed otherwise: {error}"
        if error.error_code != DENIED or "User is denied operation" not in error.error_message:
            return f"refused in other words: {error}"
        outcome = "refused"
    wanted = "allowed" if operation in ROLES[role] else "refused"
    return None if outcome == wanted else f"{outcome}, wanted {wanted}"


def cases(registry: str):
    setup = client(registry, "setup")
    Kek("elsewhere").create(setup)
    for role in ROLES:
        Kek(f"{role}-deks").create(setup)
        for operation in ("create", "read", "update", "delete"):
            for key in (Kek(f"{role}-{operation}"), Dek(f"{role}-deks", f"{role}-{operation}")):
                if operation != "create":
                    key.create(setup)
                yield f"{role} {operation} {key.kind}", problem(role, operation, key, client(registry, role))
        # A right on the KEK alone, or on the subject alone, is not enough for a DEK.
        for key in (Dek(f"{role}-deks", "elsewhere"), Dek("elsewhere", f"{role}-read")):
            key.create(setup)
            yield f"{role} read of {key.path}", denied(key, client(registry, role))
    yield "wrong password", unauthorized({"basic.auth.user.info": "setup:wrong"}, registry)
    yield "nobody", unauthorized({}, registry)


def denied(key, caller: DekRegistryClient) -> str | None:
    try:
        key.read(caller)
        return "allowed, wanted refused"
    except SchemaRegistryError as error:
        return None if error.error_code == DENIED else f"failed otherwise: {error}"


def unauthorized(credentials: dict, registry: str) -> str | None:
    try:
        DekRegistryClient({"url": registry, **credentials}).get_kek("elsewhere")
        return "allowed, wanted refused"
    except SchemaRegistryError as error:
        return None if (error.http_status_code, error.error_code) == (401, 401) else f"failed otherwise: {error}"


def main(reseal: str):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(access_control(), file)
        file.flush()
        with Sandbox(reseal, {}, options=["--rbac", file.name]) as sandbox:
            for name, found in cases(sandbox.registry):
                print(json.dumps({"case": name, "problem": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
