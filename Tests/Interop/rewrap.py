"""Wraps DEKs of the genuine Python client anew with `reseal keys rewrap`, and lets the client read what it sealed before.

    python rewrap.py RESEAL

prints {"case": NAME, "problem": TEXT or null} for every way to rewrap; exits 0 when the report is complete, whatever it
says. The key management service is the Vault of `kms/vault_server.py`.
"""

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_driver import HcVaultKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

import formats
from world import Sandbox, expect

RECORD = "interop.Rewrapped"
FORMAT = formats.ALL["avro"]
TOKEN = {"token.id": "root-token"}


class Vault:
    def __init__(self):
        script = Path(__file__).parent / "kms" / "vault_server.py"
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=script.parent)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/transit/keys"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Topic:
    """A topic whose tagged fields are sealed under a KEK of its own; each call is a new client, with nothing cached."""

    def __init__(self, sandbox: Sandbox, name: str):
        self.sandbox = sandbox
        self.name = name

    def client(self) -> SchemaRegistryClient:
        # Executors belong to the process and remember KEKs for ever, so a client without a memory needs a new one.
        FieldEncryptionExecutor.register()
        return SchemaRegistryClient({"url": self.sandbox.registry})

    def register(self, kek: str, key_id: str):
        parameters = {"encrypt.kek.name": kek, "encrypt.kms.type": "hcvault", "encrypt.kms.key.id": key_id}
        rule = Rule(
            "seal", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], RuleParams(parameters), None, None,
            "ERROR", False)
        self.client().register_schema(
            f"{self.name}-value",
            Schema(FORMAT.schema(RECORD, tagged=True), "AVRO", [], None, RuleSet([], [rule], [])))

    def seal(self) -> list[bytes]:
        serialize = FORMAT.serializer(
            self.client(), FORMAT.schema(RECORD, tagged=True), RECORD,
            {"auto.register.schemas": False, "use.latest.version": True}, TOKEN)
        return [serialize(deepcopy(record), self.context()) for record in FORMAT.records(RECORD)]

    def open(self, values: list[bytes]) -> list[dict]:
        deserialize = FORMAT.deserializer(
            self.client(), FORMAT.schema(RECORD, tagged=True), RECORD, {"use.latest.version": True}, TOKEN)
        return [deserialize(value, self.context()) for value in values]

    def context(self) -> SerializationContext:
        return SerializationContext(self.name, MessageField.VALUE)

    def dek(self, kek: str) -> dict:
        return self.client()._rest_client.get(f"dek-registry/v1/keks/{kek}/deks/{self.name}-value")

    def keys(self, *arguments: str) -> dict:
        outcome = subprocess.run(
            [self.sandbox.reseal, "keys", *arguments, "--json", "--registry", self.sandbox.registry, "-P",
             "token.id=root-token"],
            capture_output=True, text=True)
        if outcome.returncode != 0:
            raise RuntimeError(outcome.stderr)
        return json.loads(outcome.stdout)


def to_an_alternate(topic: Topic, vault: Vault):
    """The KEK keeps its key, and the client finds the other one among the alternates."""
    topic.register("alternate", f"{vault.url}/key")
    values = topic.seal()
    before = topic.dek("alternate")
    arguments = ["rewrap", "alternate", "--kms-key-id", f"{vault.url}/other"]
    topic.keys("add-alternate", "alternate", f"{vault.url}/other")
    expect(topic.keys(*arguments)["rewrapped"], 1, "to be rewrapped")
    expect(topic.dek("alternate"), before, "the DEK after a dry run")
    expect(topic.keys(*arguments, "--execute")["rewrapped"], 1, "rewrapped")
    expect(topic.dek("alternate") != before, True, "whether the DEK was changed")
    expect(topic.open(values), FORMAT.records(RECORD), "records sealed before")
    expect(topic.open(topic.seal()), FORMAT.records(RECORD), "records sealed after")
    expect(topic.keys(*arguments, "--execute")["current"], 1, "skipped")


def to_another_kek(topic: Topic, vault: Vault):
    """The rule names the other KEK from now on, and finds the same DEK there."""
    topic.register("old", f"{vault.url}/key")
    values = topic.seal()
    topic.keys("create-kek", "new", "--kms-type", "hcvault", "--kms-key-id", f"{vault.url}/other")
    expect(topic.keys("rewrap", "old", "--to-kek", "new", "--execute")["rewrapped"], 1, "rewrapped")
    topic.register("new", f"{vault.url}/other")
    expect(topic.open(values), FORMAT.records(RECORD), "records sealed before")
    expect(topic.open(topic.seal()), FORMAT.records(RECORD), "records sealed after")


def main(reseal: str):
    HcVaultKmsDriver.register()
    with Vault() as vault, Sandbox(reseal, {}) as sandbox:
        for case in (to_an_alternate, to_another_kek):
            problem = None
            try:
                case(Topic(sandbox, case.__name__), vault)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            print(json.dumps({"case": case.__name__, "problem": problem}))


if __name__ == "__main__":
    main(sys.argv[1])
