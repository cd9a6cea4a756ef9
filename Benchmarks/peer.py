"""Re-keys the same records in this process with the genuine Python client, and with `reseal bench engine`.

Usage: peer.py RESEAL [SECONDS]. The client has its serializers and a registry client that answers from memory, so that
neither side waits for a network. The client re-keys as its users have to: deserialize, then serialize.
"""

import base64
import io
import json
import subprocess
import sys
import time

import fastavro
from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

SHAPE = "500B"


def rule(kek: str) -> RuleSet:
    return RuleSet(None, [Rule(
        "seal", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"],
        RuleParams({"encrypt.kek.name": kek, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": kek}), None, None,
        "ERROR,NONE", False)])


class Client:
    """One subject of the genuine client, under a KEK of its own; `mock://` is its registry in memory."""

    rules = {"secret": "bench"}

    def __init__(self, kek: str, text: str):
        self.context = SerializationContext(f"{kek}-topic", MessageField.VALUE)
        registry = SchemaRegistryClient.new_client({"url": "mock://"})
        registry.register_schema(f"{kek}-topic-value", Schema(text, "AVRO", [], None, rule(kek)))
        settings = {"auto.register.schemas": False, "use.latest.version": True}
        self.serialize = AvroSerializer(registry, None, conf=settings, rule_conf=self.rules)
        self.deserialize = AvroDeserializer(registry, rule_conf=self.rules)


def rate(step, records: list, seconds: float) -> float:
    """Records a second of time on the processor."""
    for record in records:
        step(record)
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for record in records:
            step(record)
        done += len(records)
    return done / (time.process_time() - start)


def measure_client(samples: dict, seconds: float) -> dict[str, float]:
    FieldEncryptionExecutor.register()
    LocalKmsDriver.register()
    old, new = Client("old", samples["schema"]), Client("new", samples["schema"])
    # The samples are bare Avro; the client's own reader makes objects of them.
    parsed = fastavro.parse_schema(json.loads(samples["schema"]))
    plain = [fastavro.schemaless_reader(io.BytesIO(base64.b64decode(text)), parsed) for text in samples["records"]]
    sealed = [old.serialize(dict(record), old.context) for record in plain]
    return {
        # The client seals fields in the object it is given, so each time it gets another.
        "encrypt": rate(lambda record: old.serialize(dict(record), old.context), plain, seconds),
        "decrypt": rate(lambda record: old.deserialize(record, old.context), sealed, seconds),
        "rekey": rate(lambda record: new.serialize(old.deserialize(record, old.context), new.context), sealed, seconds),
    }


def measure_reseal(reseal: str) -> dict[str, float]:
    lines = subprocess.run(
        [reseal, "bench", "engine", "--json", "--lanes", "1", "--format", "avro", "--shape", SHAPE, "--work", "encrypt",
         "decrypt", "rekey"], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    results = [json.loads(line) for line in lines]
    return {result["work"]: result["recordsPerSecond"] for result in results}


def main(reseal: str, seconds: float):
    samples = json.loads(subprocess.run(
        [reseal, "bench", "samples", "--shape", SHAPE], stdout=subprocess.PIPE, check=True, text=True).stdout)
    client = measure_client(samples, seconds)
    ours = measure_reseal(reseal)
    print(f"{'':10}{'Python client/s':>18}{'Reseal/s':>14}{'times':>8}")
    for work, theirs in client.items():
        print(f"{work:10}{theirs:>18,.0f}{ours[work]:>14,.0f}{ours[work] / theirs:>8,.0f}")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 3)
