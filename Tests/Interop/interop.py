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
    Metadata, MetadataProperties, MetadataTags, Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema,
    SchemaRegistryClient, header_schema_id_serializer, prefix_schema_id_serializer, record_subject_name_strategy, topic_subject_name_strategy)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import EncryptionExecutor, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import SerializationContext

import formats
from cases import Exchange, table
from world import SECRET, Sandbox

# The client cannot hash schemas with external tags (its lists of tags), and hashes every schema it caches.
MetadataTags.__hash__ = lambda self: hash(json.dumps(self.tags, sort_keys=True))

PARTITIONS = 2
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
        tags = self.format.tags(self.exchange.record_name) if self.exchange.tags == "external" else {}
        metadata = Metadata(MetadataTags(tags), MetadataProperties({}), []) if tags else None
        fields = [] if self.exchange.rules == "payload" else [self._rule("fields", "ENCRYPT", ["PII"])]
        payload = [] if self.exchange.rules == "fields" else [self._rule("payload", "ENCRYPT_PAYLOAD", None)]
        for part in self.exchange.parts:
            for topic in (self.exchange.plain_topic, self.exchange.opened_topic):
                self._register(self.exchange.subject_of(topic, part), metadata=None, rules=None)
            self._register(
                self.exchange.subject_of(self.exchange.topic, part), metadata, RuleSet([], fields, payload))

    def _register(self, subject: str, metadata, rules):
        # With a client of its own: one that has registered a text takes it for what the registry serializes.
        SchemaRegistryClient(self.client.config()).register_schema(subject, Schema(self._schema(), self.format.type_name, [], metadata, rules))

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

    def messages(self, topic: str, by: str) -> list[dict]:
        """The records as the genuine serializer writes them under the topic's latest schema, marked as somebody's."""
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
            headers = [("by", by.encode()), ("index", b"%d" % index)]
            message = {"topic": topic, "partition": 0, "key": b"key-%d" % index, "timestamp": TIMESTAMP + index}
            for part in self.exchange.parts:
                context = SerializationContext(topic, part, headers=headers)
                # The client encrypts in place.
                message[part] = serialize(deepcopy(record), context)
                headers = context.headers
            messages.append({**message, "headers": headers})
        return messages

    def plain_messages(self) -> list[dict]:
        """The records in the clear, as whoever encodes them writes them."""
        messages = self.messages(self.exchange.plain_topic, "reseal")
        if self.exchange.encoder == "second":
            for message, record in zip(messages, self.records):
                body = b"".join(piece for piece, _ in self.format.second(self.exchange.record_name, record))
                for part in self.exchange.parts:
                    frame = message[part][:len(message[part]) - len(self._body(message[part]))]
                    message[part] = frame + body
        self.plain_bodies = self._bodies(messages)
        return messages

    def sealed_by(self, by: str, messages: list) -> list[dict]:
        """Those of a topic's messages that are marked as somebody's. Sealed keys go to partitions of their own."""
        own = [
            {
                "key": message.key(), "value": message.value(), "headers": message.headers(),
                "timestamp": message.timestamp()[1],
            }
            for message in messages if dict(message.headers())["by"] == by.encode()]
        return own if self.exchange.part == "value" else sorted(own, key=lambda message: message["timestamp"])

    def check(self, topic: str, messages: list[dict], bodies: list[bytes] | None = None):
        """Raises unless the genuine deserializer gives back the records, and everything around them is as it was."""
        deserialize = self.format.deserializer(
            self.client, self._schema(), self.exchange.record_name, {"subject.name.strategy": self._strategy(topic)},
            {"secret": SECRET})
        expect(len(messages), len(self.records), "number of records")
        for index, (message, record) in enumerate(zip(messages, self.records)):
            for part in self.exchange.parts:
                context = SerializationContext(topic, part, headers=message["headers"])
                found = self.format.comparable(deserialize(message[part], context))
                expect(found, record, f"{part} {index}")
            if self.exchange.part == "value":
                expect(message["key"], b"key-%d" % index, f"key {index}")
            expect(message["timestamp"], TIMESTAMP + index, f"timestamp {index}")
            expect(dict(message["headers"]).get("index"), b"%d" % index, f"header {index}")
        if bodies is not None:
            expect(self._canonical(self._bodies(messages)), self._canonical(bodies), "bytes")

    def check_sealed(self, messages: list[dict]):
        """No tagged value is in the clear, and everything between them is as it was, byte for byte."""
        for index, body in enumerate(self._bodies(messages)):
            if b"canary" in body:
                raise AssertionError(f"body {index} has a tagged value in the clear")
            if self.exchange.encoder == "second":
                pieces = self.format.second(self.exchange.record_name, self.records[index // len(self.exchange.parts)])
                pattern = b"".join(b".+?" if sealed else re.escape(piece) for piece, sealed in pieces)
                if not re.fullmatch(pattern, body, re.DOTALL):
                    raise AssertionError(f"body {index} is not as it was around its tagged values")

    def check_keys(self):
        """Neither side made a DEK that the other had made already."""
        for part in self.exchange.parts:
            subject = self.exchange.subject_of(self.exchange.topic, part)
            path = f"dek-registry/v1/keks/{self.exchange.name}/deks/{subject}/versions"
            versions = self.client._rest_client.get(path, {"algorithm": self.exchange.algorithm})
            expect(versions, [1], f"versions of the DEK of {subject}")

    def client_bodies(self) -> list[bytes]:
        """The records in the clear as the client writes them, without what is in front of them."""
        return self._bodies(self.messages(self.exchange.opened_topic, "client"))

    def _bodies(self, messages: list[dict]) -> list[bytes]:
        return [self._body(message[part]) for message in messages for part in self.exchange.parts]

    def _body(self, part: bytes) -> bytes:
        if self.exchange.frame == "header":
            return part
        # Behind the magic byte and the id, Protobuf has the path of the first message: one byte.
        return part[6 if self.exchange.format == "protobuf" else 5:]

    def _canonical(self, bodies: list[bytes]) -> list[bytes]:
        return [self.format.canonical(self.exchange.record_name, body) for body in bodies]

    def _strategy(self, topic: str):
        is_record = self.exchange.subject == "record" and topic == self.exchange.topic
        return record_subject_name_strategy if is_record else topic_subject_name_strategy

    # Pipelines

    def pipeline(self, direction: str) -> dict:
        sealed = {"subjectNameStrategy": self.exchange.subject}
        if direction == "seal":
            source, step, sink = {"topics": [self.exchange.plain_topic]}, "encrypt", {"topic": self.exchange.topic, **sealed}
        else:
            source, step, sink = {"topics": [self.exchange.topic], **sealed}, "decrypt", {"topic": self.exchange.opened_topic}
        # With a subject for every record nothing tells whether keys are to be sealed; these are not.
        clear_keys = direction == "seal" and self.exchange.subject == "record" and "key" not in self.exchange.parts
        return {
            "name": f"{self.exchange.name}-{direction}", "source": {**source, "until": "end"}, "steps": [{step: {}}],
            "sink": sink, "parts": self.exchange.parts, **({"acceptClear": ["key"]} if clear_keys else {})}


def expect(found, wanted, what: str):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r:.300}, wanted {wanted!r:.300}")


def exchange_all(sandbox: Sandbox, sides: list[Side]):
    def seal_as_client(keys: str):
        for side in sides:
            if side.exchange.keys == keys:
                sandbox.produce(side.attempt("open", lambda: side.messages(side.exchange.topic, "client")) or [])

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
    sealed = sandbox.consume([side.exchange.topic for side in sides])
    for side in sides:
        messages = side.sealed_by("reseal", sealed[side.exchange.topic])
        side.attempt("seal", lambda: side.check_sealed(messages))
        side.attempt("seal", lambda: side.check(side.exchange.topic, messages))
    seal_as_client("reseal")
    run("open")
    opened = sandbox.consume([side.exchange.opened_topic for side in sides])
    for side in sides:
        topic = side.exchange.opened_topic
        by_client, by_reseal = (side.sealed_by(by, opened[topic]) for by in ("client", "reseal"))
        side.attempt("open", lambda: side.check(topic, by_client, side.client_bodies()))
        # What Reseal sealed comes back from Reseal as well as from the client, as it was written in the first place.
        side.attempt("open", lambda: side.check(topic, by_reseal, side.plain_bodies))
        side.attempt("open", side.check_keys)


def main(reseal: str):
    FieldEncryptionExecutor.register()
    EncryptionExecutor.register()
    LocalKmsDriver.register()
    exchanges = table()
    topics = {}
    for exchange in exchanges:
        topics |= {exchange.plain_topic: PARTITIONS, exchange.topic: PARTITIONS, exchange.opened_topic: PARTITIONS}
    with Sandbox(reseal, topics) as sandbox:
        sides = [Side(exchange, SchemaRegistryClient({"url": sandbox.registry})) for exchange in exchanges]
        exchange_all(sandbox, sides)
    for side in sides:
        for direction in ("seal", "open"):
            print(json.dumps({"case": f"{side.exchange.name}-{direction}", "problem": side.problems.get(direction)}))


if __name__ == "__main__":
    main(sys.argv[1])
