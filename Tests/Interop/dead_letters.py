"""A topic with poison in it: everything else gets through, the poison is put aside sealed, and what is mended comes after.

    dead_letters.py RESEAL [--bootstrap HOST:PORT] [--guarantee at-least-once|exactly-once] [--records N] [--kills N]
                    [--racing N]

Prints {"case": NAME, "problem": TEXT or null} for every case; exits 0 when the report is complete, whatever it says.
Without --bootstrap everything happens in a sandbox, whose broker keeps no offsets of transactions, so that only
at-least-once can be tried there. With --kills the replay is killed and begun again so many times, under exactly-once
every other time beside another one, and no record may be in the sink twice then. With --racing so many newer records of
the letters' keys are written while the replay is at it, which under exactly-once none of theirs may follow.

One record in a hundred is poison, of five kinds in equal parts: its schema id is unknown, it is truncated, it is sealed
under a key that is gone, a tagged value has a type that cannot be sealed, or sealing makes it larger than the sink
takes. Tagged values are drawn from 200 canary texts, which nothing may show: no topic but the source, no log line, no
answer of the status port, no list of letters.
"""

import argparse
import contextlib
import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import fastavro
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import (
    Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaRegistryClient)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import EncryptionExecutor, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.schema_registry.serde import FieldType, RuleContext
from confluent_kafka.serialization import MessageField, SerializationContext

from reader import records
from world import SECRET, Sandbox, expect

KINDS = {
    "unknown": "unknown-schema", "truncated": "malformed", "undecryptable": "undecidable",
    "type": "unsupported-type", "oversize": "too-large"}
# Bytes the producer takes; the largest good record is far below, sealed or not.
LIMIT = 3_000
NEWER = 50
MOMENT = 1_700_000_000_000


def schema(tags: list[str], version: str = "1") -> str:
    def field(name, type):
        return {"name": name, "type": type, **({"confluent:tags": ["PII"]} if name in tags else {})}

    return json.dumps({"type": "record", "name": "Patient", "namespace": "t", "version": version, "fields": [
        field("id", "long"), field("ssn", "string"), field("note", ["null", "string", "long"]), field("ward", "string")]})


PARSED = fastavro.parse_schema(json.loads(schema([])))


def rules(kek: str, mode: RuleMode = RuleMode.WRITEREAD) -> RuleSet:
    parameters = {"encrypt.kek.name": kek, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "k"}
    rule = Rule(
        "enc", None, RuleKind.TRANSFORM, mode, "ENCRYPT", ["PII"], RuleParams(parameters), None, None, "ERROR", False)
    return RuleSet([], [rule], [])


class Poisoned:
    def __init__(self, options, sandbox: Sandbox, folder: str):
        self.options, self.sandbox, self.folder = options, sandbox, folder
        self.brokers = options.bootstrap or sandbox.brokers
        self.random = random.Random(options.seed)
        self.name = f"poison-{options.seed}"
        self.source, self.sink, self.letters, self.state = topics(options)
        self.canaries = [f"canary-{self.random.getrandbits(64):016x}" for _ in range(200)]
        self.texts: list[bytes] = []
        # By id, what the sink must have in the end.
        self.records: dict[int, dict] = {}
        self.poison: dict[str, list[int]] = {kind: [] for kind in KINDS}

    def client(self) -> SchemaRegistryClient:
        return SchemaRegistryClient({"url": self.sandbox.registry})

    # The source

    def prepare(self):
        client = self.client()
        source, sink = f"{self.source}-value", f"{self.sink}-value"
        self.plain_id = client.register_schema(source, Schema(schema([]), "AVRO"))
        client.register_schema(sink, Schema(schema(["ssn", "note"]), "AVRO", [], None, rules("poison")))
        # The version that the lost records were written with.
        client.register_schema(source, Schema(schema(["ssn"], "2"), "AVRO", [], None, rules("lost")))
        self.serialize_lost = self.serializer(source)
        self.lost_id = client.get_latest_version(source).schema_id
        self.unknown_id = self.lost_id + 1
        if self.options.bootstrap:
            # Records are old, and keys unique.
            compacted = {"cleanup.policy": "compact"}
            new = [
                NewTopic(self.source, self.options.partitions, 1, config=compacted),
                NewTopic(self.sink, self.options.partitions, 1, config=compacted), NewTopic(self.letters, 3, 1)]
            admin = AdminClient({"bootstrap.servers": self.brokers})
            for future in admin.create_topics(new).values():
                future.result()

    def serializer(self, subject: str):
        FieldEncryptionExecutor.register()
        serialize = AvroSerializer(
            self.client(), conf={
                "auto.register.schemas": False, "use.latest.version": True,
                "subject.name.strategy": lambda *_: subject}, rule_conf={"secret": SECRET})
        return lambda record: serialize(dict(record), SerializationContext("topic", MessageField.VALUE))

    def framed(self, id: int, record: dict) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, PARSED, record)
        return b"\0" + id.to_bytes(4, "big") + out.getvalue()

    def produce(self):
        producer = Producer({"bootstrap.servers": self.brokers, "linger.ms": 20})
        poison = self.random.sample(range(self.options.records), self.options.records // 100)
        kinds = {index: list(KINDS)[place % len(KINDS)] for place, index in enumerate(poison)}
        for index in range(self.options.records):
            kind = kinds.get(index)
            record = {
                "id": index, "ssn": self.canaries[index % 100],
                "note": None if index % 3 else self.canaries[100 + index % 100], "ward": f"ward {index % 12}"}
            if kind == "oversize":
                # Base64 makes a third more of it; every other one is too large for a letter as well.
                record["note"] = (self.canaries[100 + index % 100] * LIMIT)[:LIMIT * (98 if index % 2 else 80) // 100]
            if kind == "type":
                record["note"] = 78_051_120
            value = self.serialize_lost(record) if kind == "undecryptable" else self.framed(
                self.unknown_id if kind == "unknown" else self.plain_id, record)
            if kind == "truncated":
                value = value[:self.random.randint(len(value) - 8, len(value) - 1)]
            if kind:
                self.poison[kind].append(index)
            self.records[index] = record
            while True:
                try:
                    producer.produce(
                        self.source, key=str(index), value=value, partition=index % self.options.partitions,
                        timestamp=MOMENT + index)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        expect(producer.flush(60), 0, "records not produced")

    def lose_key(self):
        """Takes the key of the lost records away for good, and keeps what is needed to bring it back."""
        self.dek_path = f"dek-registry/v1/keks/lost/deks/{self.source}-value"
        self.dek = self.registry("GET", f"{self.dek_path}?deleted=false")
        self.registry("DELETE", self.dek_path)
        self.registry("DELETE", f"{self.dek_path}?permanent=true")

    def registry(self, method: str, path: str, body: dict | None = None):
        request = urllib.request.Request(
            f"{self.sandbox.registry}/{path}", json.dumps(body).encode() if body else None,
            {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    # Reseal

    def pipeline(self, limit: int) -> str:
        path = os.path.join(self.folder, f"{limit}.json")
        with open(path, "w") as file:
            json.dump({
                "name": self.name, "kafka": {"bootstrap.servers": self.brokers},
                "schemaRegistry": {"url": self.sandbox.registry},
                "rules": {"rule.executors._default_.param.secret": SECRET},
                "source": {"topics": [self.source], "until": "end"},
                "steps": [{"encrypt": {"foreignSealed": "rekey"}}],
                "sink": {"topic": self.sink, "kafka": {"message.max.bytes": limit}},
                "acceptClear": ["t.Patient.note"],
                "delivery": {"guarantee": self.options.guarantee},
                "onFailure": {"action": "deadLetter", "deadLetter": {
                    "topic": self.letters, "kek": "letters", "kmsType": "local-kms", "kmsKeyId": "k"}},
            }, file)
        return path

    def reseal(self, *arguments: str, watches: int | None = None) -> tuple[int, str]:
        process = subprocess.Popen(
            [self.options.program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if watches:
            threading.Thread(target=self.watch, args=(process, watches), daemon=True).start()
        output, errors = process.communicate()
        self.texts += [output, errors]
        return process.returncode, output.decode()

    def watch(self, process, port: int):
        """Keeps every answer that the status port gives as long as the process runs."""
        while process.poll() is None:
            for path in ("status", "metrics"):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
                        self.texts.append(answer.read())
                        self.watched = True
                except (urllib.error.URLError, OSError):
                    # Not there yet, or not any more.
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(0.05)

    def dlq(self, command: str, limit: int, *more: str) -> tuple[int, str]:
        return self.reseal("dlq", command, self.pipeline(limit), *more)

    # What is left

    def scan(self, canaries: list[str]):
        """None of these in any topic but the source, nor in anything that was said."""
        needles = [canary.encode() for canary in canaries]
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "scan"})
        names = [
            name for name in consumer.list_topics(timeout=30).topics
            if name != self.source and name.startswith(self.name)]
        consumer.close()
        expect({self.sink, self.letters, self.state} <= set(names), True, f"whether {names} has the topics")
        texts = list(self.texts)
        for name in names:
            for message in records(self.brokers, name):
                headers = [part for pair in message.headers() or [] for part in (pair[0].encode(), pair[1])]
                texts += [part for part in (message.key(), message.value(), *headers) if part]
        for text in texts:
            # Most have not even the beginning.
            if b"canary-" in text:
                found = [needle for needle in needles if needle in text]
                expect(found, [], f"canaries in {text[:200]!r}")
        expect(getattr(self, "watched", False), True, "whether the status port has answered")
        expect(sum(text.count(b"put aside as a dead letter") for text in self.texts), self.options.records // 100,
               "log lines about letters")

    def read(self, ids_with_newer: set[int] = set()) -> list[int]:
        """The ids in the sink, everything read by the genuine deserializer and compared with what it must be."""
        FieldEncryptionExecutor.register()
        deserialize = AvroDeserializer(self.client(), rule_conf={"secret": SECRET})
        ids, overtaken = [], set()
        for message in records(self.brokers, self.sink):
            record = deserialize(message.value(), SerializationContext(self.sink, MessageField.VALUE))
            index = int(message.key())
            if record["ward"] == "newer":
                expect(index in ids_with_newer, True, f"whether {index} was written anew")
                overtaken.add(index)
            else:
                expect(index in overtaken, False, f"whether a letter's record follows a newer one of {index}")
                expect(record, self.records[index], f"record {index}")
                expect(message.timestamp()[1], MOMENT + index, f"timestamp of {index}")
                expect(message.partition(), index % self.options.partitions, f"partition of {index}")
            ids.append(index)
        return ids


# Cases, one after the other on the same topics

def poison_is_put_aside(run: Poisoned):
    run.prepare()
    run.produce()
    run.lose_key()
    port = free_port()
    code, _ = run.reseal("run", run.pipeline(LIMIT), "--status", f"127.0.0.1:{port}", watches=port)
    expect(code, 4, f"exit code of {run.texts[-1][-900:]!r}")
    poisoned = {index for indexes in run.poison.values() for index in indexes}
    expect(sorted(run.read()), sorted(set(run.records) - poisoned), "ids in the sink")
    code, output = run.dlq("list", LIMIT, "--json")
    found: dict[str, list[int]] = {}
    for line in output.splitlines():
        letter = json.loads(line)
        found.setdefault(letter["error"], []).append(letter["timestamp"] - MOMENT)
    expect({error: sorted(ids) for error, ids in found.items()},
           {error: sorted(run.poison[kind]) for kind, error in KINDS.items()}, "letters")


def no_canary_is_shown(run: Poisoned):
    run.dlq("list", LIMIT)
    code, output = run.dlq("list", LIMIT, "--json")
    letter = json.loads(output.splitlines()[0])["letter"]
    code, _ = run.dlq("show", LIMIT, "--partition", str(letter["partition"]), "--offset", str(letter["offset"]))
    expect(code, 0, f"exit code of {run.texts[-1]!r}")
    run.scan(run.canaries)


def the_client_opens_letters(run: Poisoned):
    """As a consumer would that has a rule for it: ENCRYPT_PAYLOAD under the KEK and the topic's subject."""
    parameters = {"encrypt.kek.name": "letters"}
    rule = Rule(
        "enc", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT_PAYLOAD", None, RuleParams(parameters), None,
        None, "ERROR", False)
    executor = EncryptionExecutor()
    executor.configure({"url": run.sandbox.registry}, {"secret": SECRET})
    source = {message.key(): message.value() for message in records(run.brokers, run.source)}
    opened = 0
    for message in records(run.brokers, run.letters):
        context = RuleContext(
            None, SerializationContext(run.letters, MessageField.VALUE), None, Schema("", "AVRO"),
            f"{run.letters}-value", RuleMode.READ, rule, 0, [rule], None, None)
        letter = executor.new_transform(context).transform(context, FieldType.BYTES, message.value())
        headers = {name: value.decode() for name, value in message.headers()}
        topic = headers["reseal.topic"].encode()
        at = 2 + 4 + len(topic)
        expect(letter[2:at], len(topic).to_bytes(4, "big") + topic, "source topic")
        expect(int.from_bytes(letter[at:at + 4], "big"), int(headers["reseal.partition"]), "partition")
        expect(int.from_bytes(letter[at + 4:at + 12], "big"), int(headers["reseal.offset"]), "offset")
        index = int.from_bytes(letter[at + 12:at + 20], "big") - MOMENT
        key, value = b"%d" % index, source[b"%d" % index]
        expect(letter[:2], b"\1\1" if len(value) > LIMIT * 9 // 10 else b"\1\0", "form")
        if letter[1] == 0:
            rest = b"".join(len(part).to_bytes(4, "big") + part for part in (key, value)) + bytes(4)
            expect(letter[at + 20:], rest, f"letter of {index}")
        opened += 1
    expect(opened, run.options.records // 100, "letters opened")


def replay_completes_the_sink(run: Poisoned):
    client = run.client()
    expect(client.register_schema(f"{run.source}-value", Schema(schema([], "3"), "AVRO")), run.unknown_id, "the id")
    run.registry("POST", "dek-registry/v1/keks/lost/deks", {
        "subject": run.dek["subject"], "version": 1, "algorithm": run.dek["algorithm"],
        "encryptedKeyMaterial": run.dek["encryptedKeyMaterial"]})
    client.register_schema(f"{run.sink}-value", Schema(schema(["ssn"]), "AVRO", [], None, rules("poison")))
    # New producers write to the sink by now, some of them the very keys that are among the letters.
    newer = set(run.random.sample(run.poison["unknown"] + run.poison["oversize"], NEWER * run.options.records // 100_000))
    serialize = run.serializer(f"{run.sink}-value")
    producer = Producer({"bootstrap.servers": run.brokers})

    def write(indexes: list[int]):
        for index in indexes:
            value = serialize({**run.records[index], "ward": "newer"})
            producer.produce(run.sink, key=str(index), value=value, partition=index % run.options.partitions)
        expect(producer.flush(60), 0, "records not produced")

    write(sorted(newer))
    racing = run.random.sample(sorted(set(run.poison["unknown"]) - newer), run.options.racing)

    compaction = [] if run.options.bootstrap else ["--compacted"]
    arguments = ["dlq", "replay", run.pipeline(1_000_000), "--json", *compaction]
    def start():
        # Without buffers: what one read of a line had taken with it, communicate() would not see.
        return subprocess.Popen(
            [run.options.program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    for number in range(run.options.kills):
        # Every other time two begin at once, of which one fences the other.
        together = [start(), start()] if number % 2 and run.options.guarantee == "exactly-once" else [start()]
        try:
            together[0].wait(timeout=run.random.uniform(0.3, 3))
        except subprocess.TimeoutExpired:
            together[0].kill()
        for process in together:
            output, errors = process.communicate()
            run.texts += [output, errors]
    if racing:
        # Written as soon as the replay has looked at the sink and begins to write itself.
        replay = start()
        for line in replay.stderr:
            run.texts.append(line)
            if b"dead letters are being replayed" in line:
                write(racing)
                break
        output, errors = replay.communicate()
        run.texts += [output, errors]
        code = replay.returncode
    else:
        code, output = run.reseal(*arguments)
    expect(code, 4, f"exit code of {run.texts[-1][-900:]!r}")
    each = run.options.records // 500
    counts = json.loads(output)
    if run.options.racing:
        print(f"{sum(text.count(b'came between') for text in run.texts)} transactions done again", file=sys.stderr)
    elif not run.options.kills:
        expect(counts, {"replayed": 4 * each - len(newer), "superseded": len(newer), "repeated": 0,
                        "returned": {"malformed": each}}, "counts")
    ids = run.read(newer | set(racing))
    expect(sorted(set(ids)), sorted(set(run.records) - set(run.poison["truncated"])), "ids in the sink")
    if not racing and (run.options.guarantee == "exactly-once" or not run.options.kills):
        expect(len(ids), len(set(ids)), "records in the sink, each once")
    # Nothing but the truncated ones is left, and they stay sealed.
    code, output = run.dlq("list", LIMIT, "--json")
    left = [json.loads(line)["timestamp"] - MOMENT for line in output.splitlines()]
    # A replay that was killed at-least-once may have put some back twice.
    repeats = run.options.kills > 0 and run.options.guarantee == "at-least-once"
    expect(sorted(set(left) if repeats else left), sorted(run.poison["truncated"]), "letters left")
    code, output = run.reseal(*arguments)
    repeated = json.loads(output)["repeated"]
    expect(repeats or repeated == 0, True, "whether letters are repeated")
    expect((code, json.loads(output)), (4, {"replayed": 0, "superseded": 0, "repeated": repeated, "returned": {"malformed": each}}), "again")
    # The notes are not tagged any more.
    run.scan(run.canaries[:100])


CASES = [poison_is_put_aside, no_canary_is_shown, the_client_opens_letters, replay_completes_the_sink]


def topics(options) -> tuple[str, str, str, str]:
    name = f"poison-{options.seed}"
    return f"{name}-in", f"{name}-out", f"{name}-letters", f"{name}.state"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--bootstrap")
    parser.add_argument("--guarantee", choices=["at-least-once", "exactly-once"], default="at-least-once")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--racing", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    if options.racing and options.guarantee != "exactly-once":
        parser.error("what at-least-once has written it cannot take back")
    if options.bootstrap is None and options.guarantee == "exactly-once":
        parser.error("the sandbox's broker keeps no offsets of transactions: --bootstrap is needed for exactly-once")
    LocalKmsDriver.register()
    source, sink, letters, state = topics(options)
    wanted = {} if options.bootstrap else {
        source: options.partitions, sink: options.partitions, letters: 3, state: 1}
    with Sandbox(options.program, wanted) as sandbox, tempfile.TemporaryDirectory() as folder:
        run = Poisoned(options, sandbox, folder)
        problem = None
        for case in CASES:
            # Each goes on where the one before has ended.
            if problem is None:
                try:
                    case(run)
                except Exception as error:
                    problem = f"{type(error).__name__} in {case.__name__}: {error}"
            print(json.dumps({"case": case.__name__, "problem": problem}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
