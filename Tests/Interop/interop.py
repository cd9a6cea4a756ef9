"""Lets Reseal and the genuine Python client seal for each other, and reports each case as a line of JSON.

    python interop.py RESEAL

prints {"case": NAME, "problem": TEXT or null} for every case of the table; exits 0 when the report is complete,
whatever it says. One sandbox serves all cases, and each side does each of its steps for all of them at once.
"""

import json
import re
import sys
from copy import deepcopy

from confluent_kafka.schema_registry import (
    Metadata, MetadataProperties, MetadataTags, Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaRegistryClient,
    header_schema_id_serializer, prefix_schema_id_serializer, record_subject_name_strategy, topic_subject_name_strategy)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import EncryptionExecutor, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

import formats
from cases import Exchange, table
from world import SECRET, Sandbox

# The client cannot hash schemas with external tags (its lists of tags), and hashes every schema it caches.
MetadataTags.__hash__ = lambda self: hash(json.dumps(self.tags, sort_keys=True))

TIMESTAMP = 1_700_000_000_000


class Side:
    """What one exchange's client does; the first thing that goes wrong in a direction is what is reported of it."""

    def __init__(self, exchange: Exchange, client: SchemaRegistryClient):
        self.exchange = exchange
        self.client = client
        self.format = formats.ALL[exchange.format]
        self.records = self.format.records(exchange.record_name)
        self.problems: dict[str, str] = {}

    def attempt(self, direction: str, step):
        """The result of `step`, or None when it failed or something before it did."""
        if direction in self.problems:
            return None
        try:
            return step()
        except Exception as error:
            self.problems[direction] = f"{type(error).__name__}: {error}"
            return None

    # Schemas

    def register(self):
        self._register(f"{self.exchange.plain_topic}-value", metadata=None, rules=None)
        self._register(f"{self.exchange.opened_topic}-value", metadata=None, rules=None)
        tags = self.format.tags(self.exchange.record_name) if self.exchange.tags == "external" else {}
        metadata = Metadata(MetadataTags(tags), MetadataProperties({}), []) if tags else None
        fields = [] if self.exchange.rules == "payload" else [self._rule("fields", "ENCRYPT", ["PII"])]
        payload = [] if self.exchange.rules == "fields" else [self._rule("payload", "ENCRYPT_PAYLOAD", None)]
        self._register(self.exchange.sealed_subject, metadata, RuleSet([], fields, payload))

    def _register(self, subject: str, metadata, rules):
        self.client.register_schema(subject, Schema(self._schema(), self.format.type_name, [], metadata, rules))

    def _schema(self) -> str:
        return self.format.schema(self.exchange.record_name, tagged=self.exchange.tags == "inline")

    def _rule(self, name: str, type: str, tags) -> Rule:
        parameters = {
            "encrypt.kek.name": self.exchange.name, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "interop",
            "encrypt.dek.algorithm": self.exchange.algorithm}
        if self.exchange.versions:
            parameters["encrypt.dek.expiry.days"] = "30"
        return Rule(
            name, None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, type, tags, RuleParams(parameters), None, None, "ERROR",
            False)

    # Messages

    def messages(self, topic: str, partition: int) -> list[dict]:
        """The records as the genuine serializer writes them under the topic's latest schema."""
        serialize = self.format.serializer(
            self.client, self._schema(), self.exchange.record_name,
            {
                "auto.register.schemas": False, "use.latest.version": True,
                "subject.name.strategy": self._strategy(topic),
                "schema.id.serializer":
                    header_schema_id_serializer if self.exchange.frame == "header" else prefix_schema_id_serializer,
            }, {"secret": SECRET})
        messages = []
        for index, record in enumerate(self.records):
            context = SerializationContext(topic, MessageField.VALUE, headers=[("trace", b"%d" % index)])
            # The client encrypts in place.
            value = serialize(deepcopy(record), context)
            messages.append({
                "topic": topic, "partition": partition, "key": b"key-%d" % index, "value": value,
                "headers": context.headers, "timestamp": TIMESTAMP + index})
        return messages

    def plain_messages(self) -> list[dict]:
        """The records in the clear, as whoever encodes them writes them."""
        messages = self.messages(self.exchange.plain_topic, 0)
        if self.exchange.encoder == "second":
            for message, record in zip(messages, self.records):
                frame = message["value"][:len(message["value"]) - len(self._body(message["value"]))]
                pieces = self.format.second(self._schema(), record)
                message["value"] = frame + b"".join(piece for piece, _ in pieces)
        self.plain_bodies = [self._body(message["value"]) for message in messages]
        return messages

    def check(self, topic: str, messages: list, bodies: list[bytes] | None = None):
        """Raises unless the genuine deserializer gives back the records, and everything around them is as it was."""
        deserialize = self.format.deserializer(
            self.client, self._schema(), self.exchange.record_name, {"subject.name.strategy": self._strategy(topic)},
            {"secret": SECRET})
        expect(len(messages), len(self.records), "number of records")
        for index, (message, record) in enumerate(zip(messages, self.records)):
            headers = message.headers() or []
            context = SerializationContext(topic, MessageField.VALUE, headers=headers)
            expect(deserialize(message.value(), context), record, f"record {index}")
            expect(message.key(), b"key-%d" % index, f"key {index}")
            expect(message.timestamp()[1], TIMESTAMP + index, f"timestamp {index}")
            expect(dict(headers).get("trace"), b"%d" % index, f"header of record {index}")
            if bodies is not None:
                expect(self._body(message.value()), bodies[index], f"bytes of record {index}")

    def check_sealed(self, messages: list):
        """No tagged value is in the clear, and everything between them is as it was, byte for byte."""
        for index, message in enumerate(messages):
            if b"canary" in message.value():
                raise AssertionError(f"record {index} has a tagged value in the clear")
            if self.exchange.encoder == "second":
                pieces = self.format.second(self._schema(), self.records[index])
                pattern = b"".join(b".+?" if sealed else re.escape(piece) for piece, sealed in pieces)
                if not re.fullmatch(pattern, self._body(message.value()), re.DOTALL):
                    raise AssertionError(f"record {index} is not as it was around its tagged values")

    def check_keys(self):
        """Neither side made a DEK that the other had made already."""
        path = f"dek-registry/v1/keks/{self.exchange.name}/deks/{self.exchange.sealed_subject}/versions"
        versions = self.client._rest_client.get(path, {"algorithm": self.exchange.algorithm})
        expect(versions, [1], "versions of the DEK")

    def bodies(self) -> list[bytes]:
        """The records in the clear, without what is in front of them."""
        return [self._body(message["value"]) for message in self.messages(self.exchange.opened_topic, 1)]

    def _body(self, value: bytes) -> bytes:
        return value if self.exchange.frame == "header" else value[5:]

    def _strategy(self, topic: str):
        is_record = self.exchange.subject == "record" and topic == self.exchange.topic
        return record_subject_name_strategy if is_record else topic_subject_name_strategy

    # Pipelines

    def pipeline(self, direction: str) -> dict:
        sealed = {"subject": self.exchange.sealed_subject} if self.exchange.subject == "record" else {}
        if direction == "seal":
            source, step, sink = {"topics": [self.exchange.plain_topic]}, "encrypt", {"topic": self.exchange.topic, **sealed}
        else:
            source, step, sink = {"topics": [self.exchange.topic], **sealed}, "decrypt", {"topic": self.exchange.opened_topic}
        return {
            "name": f"{self.exchange.name}-{direction}", "source": {**source, "until": "end"}, "steps": [{step: {}}],
            "sink": sink}


def expect(found, wanted, what: str):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r:.300}, wanted {wanted!r:.300}")


def exchange_all(sandbox: Sandbox, sides: list[Side]):
    def seal_as_client(keys: str):
        for side in sides:
            if side.exchange.keys == keys:
                messages = side.attempt("open", lambda: side.messages(side.exchange.topic, 1))
                sandbox.produce(messages or [])

    def run(direction: str):
        problems = sandbox.run([side.pipeline(direction) for side in sides if direction not in side.problems])
        for side in sides:
            if (problem := problems.get(f"{side.exchange.name}-{direction}")) is not None:
                side.problems.setdefault(direction, problem)

    for side in sides:
        side.attempt("seal", side.register)
        sandbox.produce(side.attempt("seal", side.plain_messages) or [])
    seal_as_client("client")
    run("seal")
    sealed = sandbox.consume([(side.exchange.topic, 0) for side in sides])
    for side in sides:
        messages = sealed[side.exchange.topic, 0]
        side.attempt("seal", lambda: side.check_sealed(messages))
        side.attempt("seal", lambda: side.check(side.exchange.topic, messages))
    seal_as_client("reseal")
    run("open")
    opened = sandbox.consume([(side.exchange.opened_topic, number) for side in sides for number in (0, 1)])
    for side in sides:
        bodies = side.attempt("open", side.bodies)
        by_client, by_reseal = (opened[side.exchange.opened_topic, number] for number in (1, 0))
        side.attempt("open", lambda: side.check(side.exchange.opened_topic, by_client, bodies))
        # What Reseal sealed comes back from Reseal as well as from the client, as it was written in the first place.
        side.attempt("open", lambda: side.check(side.exchange.opened_topic, by_reseal, side.plain_bodies))
        side.attempt("open", side.check_keys)


def main(reseal: str):
    FieldEncryptionExecutor.register()
    EncryptionExecutor.register()
    LocalKmsDriver.register()
    exchanges = table()
    topics = {}
    for exchange in exchanges:
        topics |= {exchange.plain_topic: 2, exchange.topic: 2, exchange.opened_topic: 2}
    with Sandbox(reseal, topics) as sandbox:
        sides = [Side(exchange, SchemaRegistryClient({"url": sandbox.registry})) for exchange in exchanges]
        exchange_all(sandbox, sides)
    for side in sides:
        for direction in ("seal", "open"):
            print(json.dumps({"case": f"{side.exchange.name}-{direction}", "problem": side.problems.get(direction)}))


if __name__ == "__main__":
    main(sys.argv[1])
