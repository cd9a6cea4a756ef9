"""Runs whole jobs on topics in every state, and lets the genuine Python client read what they wrote, as any consumer does.

    python job_runs.py RESEAL

prints {"case": NAME, "problem": TEXT or null} for every case; exits 0 when the report is complete, whatever it says.
What is in the topics beforehand was sealed by the genuine client.
"""

import json
import random
import sys
from copy import deepcopy
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

from gaps import produce_with_gaps
from reader import records_from
from world import SECRET, JobRun, Sandbox, expect

PIPELINES = Path(__file__).parent.parent.parent / "pipelines"


def schema(*names: str, tagged: bool = True) -> str:
    """A record with an id and these texts; all but `city` are tagged."""
    fields = [{"name": "id", "type": "long"}]
    for name in names:
        field = {"name": name, "type": "string"}
        if name != "ssn":
            field["default"] = ""
        if tagged and name != "city":
            field["confluent:tags"] = ["PII"]
        fields.append(field)
    return json.dumps({"type": "record", "name": "Customer", "namespace": "jobs", "fields": fields})


def rules(kek: str, algorithm: str = "AES256_GCM", **more: str) -> RuleSet:
    parameters = {
        "encrypt.kek.name": kek, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "jobs",
        "encrypt.dek.algorithm": algorithm, **more}
    rule = Rule(
        "seal", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], RuleParams(parameters), None, None,
        "ERROR", False)
    return RuleSet([], [rule], [])


def customer(index: int) -> dict:
    return {"id": index, "ssn": f"canary-{index}"}


class World:
    def __init__(self, sandbox: Sandbox):
        self.sandbox = sandbox

    def client(self) -> SchemaRegistryClient:
        # Executors belong to the process and remember KEKs for ever, so a client without a memory needs a new one.
        FieldEncryptionExecutor.register()
        return SchemaRegistryClient({"url": self.sandbox.registry})

    def register(self, topic: str, text: str, rule_set: RuleSet | None = None):
        self.client().register_schema(f"{topic}-value", Schema(text, "AVRO", [], None, rule_set))

    def write(self, topic: str, records: list[dict], into: str | None = None, partition: int = 0):
        """Serializes under the latest schema of a topic's subject, and produces, perhaps into another topic."""
        values = self.serialized(topic, records)
        self.sandbox.produce([
            {"topic": into or topic, "partition": partition, "key": b"%d" % record["id"], "value": value}
            for record, value in zip(records, values)])

    def serialized(self, topic: str, records: list[dict]) -> list[bytes]:
        return self.serializer(topic)(records)

    def serializer(self, topic: str):
        """Serializes lists of records under the schema that is the latest of a topic's subject now."""
        client = self.client()
        text = client.get_latest_version(f"{topic}-value").schema.schema_str
        serialize = AvroSerializer(
            client, text, conf={"auto.register.schemas": False, "use.latest.version": True},
            rule_conf={"secret": SECRET})
        context = SerializationContext(topic, MessageField.VALUE)
        # The client encrypts in place.
        return lambda records: [serialize(deepcopy(record), context) for record in records]

    def read(self, topic: str, subject: str | None = None) -> list[dict]:
        return self.deserialized(topic, self.sandbox.consume([topic])[topic], subject)

    def deserialized(self, topic: str, messages: list, subject: str | None = None) -> list[dict]:
        conf = {"subject.name.strategy": lambda *_: subject} if subject else {}
        deserialize = AvroDeserializer(self.client(), conf=conf, rule_conf={"secret": SECRET})
        for message in messages:
            expect(b"canary" in message.value(), topic.endswith("-opened"), "whether a tagged value is in the clear")
        return [deserialize(message.value(), SerializationContext(topic, MessageField.VALUE)) for message in messages]

    def member(self, group: str) -> Consumer:
        return Consumer({
            "bootstrap.servers": self.sandbox.brokers, "group.id": group, "enable.auto.commit": False,
            "enable.partition.eof": True, "auto.offset.reset": "error"})

    def read_on(self, group: str, topic: str) -> list[list[dict]]:
        """What a group still has before it, by partition, from where its offsets say."""
        consumer = self.member(group)
        partitions = [TopicPartition(topic, number) for number in range(self.sandbox.partitions[topic])]
        positions = consumer.committed(partitions)
        found = {partition.partition: [] for partition in partitions}
        for message in records_from(consumer, positions):
            found[message.partition()].append(message)
        return [self.deserialized(topic, messages) for _, messages in sorted(found.items())]

    def job(
        self, name: str, source: str, steps: list[dict], sink: str, /, *options: str, **more
    ) -> JobRun:
        return self.sandbox.job({
            "name": name, "source": {"topics": [source], "until": "end", **more.pop("source", {})}, "steps": steps,
            "sink": {"topic": sink, **more.pop("sink", {})}, **more}, *options)


def expect_run(run: JobRun, code: int = 0, **counts: int):
    expect(run.code, code, f"exit code of a run that said {run.log[-600:]}")
    expect({name: run.counts.get(name) for name in counts}, counts, "counts")


# Half migrated

THIRD = 10_000


def half_migrated(world: World):
    """A third in the clear, a third sealed for the sink's subject, a third under an old KEK."""
    world.register("half-in", schema("ssn", tagged=False))
    world.register("half-out", schema("ssn"), rules("half-new"))
    world.register("half-rekeyed", schema("ssn"), rules("half-newer"))
    thirds = [[customer(index) for index in range(start, start + THIRD)] for start in (0, THIRD, 2 * THIRD)]
    everything = sum(thirds, [])
    world.write("half-in", thirds[0])
    world.write("half-out", thirds[1], into="half-in")
    world.register("half-in", schema("ssn"), rules("half-old"))
    world.write("half-in", thirds[2])

    # Refused, with all before it done; then taken on, as the pipeline says.
    run = world.job("half-encrypt", "half-in", [{"encrypt": {}}], "half-out")
    expect_run(run, 1, written=2 * THIRD, sealed=THIRD, passed=THIRD, fieldsPlaintext=THIRD, fieldsCurrent=THIRD)
    expect(f"record half-in[0]@{2 * THIRD}: field ssn (jobs.Customer.ssn)" in run.log, True, f"whether {run.log[-400:]} names it")
    run = world.job("half-encrypt", "half-in", [{"encrypt": {"foreignSealed": "rekey"}}], "half-out")
    expect_run(run, read=THIRD, written=THIRD, sealed=THIRD, fieldsPlaintext=0, fieldsForeign=THIRD, fieldsCurrent=0)
    expect(world.read("half-out"), everything, "what encrypt made")

    # The second third is under the key of another topic's subject.
    declared = {"keys": [{"kek": "half-new", "subject": "half-out-value"}]}
    run = world.job(
        "half-rekey", "half-in", [{"rekey": {"plaintext": "seal"}}], "half-rekeyed", source=declared)
    expect_run(run, written=3 * THIRD, sealed=3 * THIRD, passed=0, fieldsPlaintext=THIRD, fieldsForeign=2 * THIRD)
    expect(world.read("half-rekeyed"), everything, "what rekey made")

    run = world.job(
        "half-again", "half-rekeyed", [{"rekey": {}}], "half-again", sink={"subject": "half-rekeyed-value"})
    expect_run(run, written=3 * THIRD, sealed=0, passed=3 * THIRD, fieldsCurrent=3 * THIRD, fieldsForeign=0)
    found = world.sandbox.consume(["half-rekeyed", "half-again"])
    expect(
        [(message.key(), message.value()) for message in found["half-again"]]
        == [(message.key(), message.value()) for message in found["half-rekeyed"]], True, "whether nothing changed")


# Drift

def rule_drift(world: World):
    """No versions at first, then a rotation, then another algorithm: all opens, all is re-keyed."""
    records = [customer(index) for index in range(3_000)]
    days = {"encrypt.dek.expiry.days": "30"}
    for start, rule_set in enumerate([rules("drift"), rules("drift", **days), rules("drift", "AES256_SIV", **days)]):
        world.register("drift-in", schema("ssn"), rule_set)
        world.write("drift-in", records[start * 1_000:(start + 1) * 1_000])
    world.register("drift-opened", schema("ssn", tagged=False))
    world.register("drift-out", schema("ssn"), rules("drift-new"))
    run = world.job("drift-open", "drift-in", [{"decrypt": {}}], "drift-opened")
    expect_run(run, written=3_000, opened=3_000, passed=0)
    expect(world.read("drift-opened"), records, "what was opened")
    run = world.job("drift-rekey", "drift-in", [{"rekey": {}}], "drift-out")
    expect_run(run, written=3_000, sealed=3_000, fieldsForeign=3_000, fieldsCurrent=0, fieldsPlaintext=0)
    expect(world.read("drift-out"), records, "what was re-keyed")


# Nothing in the sink's schema says whether the old field is to be sealed; whoever accepts that accepts it in the clear.
VALUES = {"ssn": "canary", "old": "accepted", "email": "canary", "city": "Oxford"}
VERSIONS = [["ssn"], ["ssn", "old"], ["ssn", "old", "email"], ["ssn", "email"], ["ssn", "email", "city"]]


def schema_drift(world: World):
    """Five versions, with a tagged field that the last ones lack: refused, or twins, or one structure for all."""
    records = []
    for names in VERSIONS:
        world.register("versions-in", schema(*names, tagged=False))
        batch = [
            {"id": len(records) + index, **{name: f"{VALUES[name]} {index}" for name in names}} for index in range(200)]
        world.write("versions-in", batch)
        records += batch
    for topic in ("versions-twin", "versions-resolved"):
        world.register(topic, schema(*VERSIONS[-1]), rules("versions"))
        run = world.job("versions-refused", "versions-in", [{"encrypt": {}}], topic)
        expect_run(run, 78)
        for version in range(1, 5):
            expect(f"versions-in-value version {version} " in run.log, True, f"whether version {version} is refused")
    run = world.job("twin", "versions-in", [{"encrypt": {}}], "versions-twin", sink={"whenDifferent": "twin"})
    expect_run(run, 78)
    expect("jobs.Customer.old" in run.log, True, f"whether the field nobody decided about is named in {run.log}")
    expect(world.read("versions-twin"), [], "records of refused jobs")
    run = world.job(
        "twin", "versions-in", [{"encrypt": {}}], "versions-twin", sink={"whenDifferent": "twin"},
        acceptClear=["jobs.Customer.old"])
    expect_run(run, written=1_000, sealed=1_000, passed=0)
    expect(world.read("versions-twin"), records, "what twins keep")
    run = world.job(
        "resolve", "versions-in", [{"encrypt": {}}], "versions-resolved", sink={"whenDifferent": "resolve"})
    expect_run(run, written=1_000, sealed=1_000, passed=0)
    wanted = [
        {"id": record["id"], **{name: record.get(name, "") for name in VERSIONS[-1]}} for record in records]
    expect(world.read("versions-resolved"), wanted, "what resolution makes")


# Cut-over

def cut_over(world: World):
    """Groups stopped anywhere on a source with gaps go on in the sink; again after the job was run anew."""
    choose = random.Random(20260101)
    world.register("moved", schema("ssn", tagged=False))
    world.register("moved-sealed", schema("ssn"), rules("moved"))
    # By partition: offset and record.
    source: list[list[tuple[int, dict]]] = []
    for partition in range(3):
        records = [customer(partition * 1_000 + index) for index in range(700)]
        messages = [(b"%d" % record["id"], value) for record, value in zip(records, world.serialized("moved", records))]
        offsets = produce_with_gaps(world.sandbox.brokers, "moved", partition, messages, choose)
        source.append(list(zip(offsets, records)))
    found = world.sandbox.consume(["moved"])["moved"]
    expect(
        [[message.offset() for message in found if message.partition() == partition] for partition in range(3)],
        [[offset for offset, _ in part] for part in source], "offsets on the source")
    expect(any(part[-1][0] >= len(part) for part in source), True, "whether there are gaps")

    def run_and_move(round: str, *options: str):
        # The mock takes no offsets for a group that had members once, so the new job has a group of its own.
        pipeline = {
            "name": "moved", "source": {"topics": ["moved"], "group": f"moved-{round}", "until": "end"},
            "steps": [{"encrypt": {}}], "sink": {"topic": "moved-sealed"}}
        run = world.sandbox.job(pipeline, *options)
        expect_run(run, written=2_100, sealed=2_100)
        for number in range(5):
            group, left = f"{round}-{number}", []
            consumer = world.member(group)
            for partition, part in enumerate(source):
                # Anywhere, gaps included; the end, the beginning.
                end = part[-1][0] + 1
                offset = [choose.randrange(end), choose.randrange(end), choose.randrange(end), 0, end][number]
                consumer.commit(offsets=[TopicPartition("moved", partition, offset)], asynchronous=False)
                left.append([record for at, record in part if at >= offset])
            consumer.close()
            moved = world.sandbox.job(pipeline, "--group", group, "--execute", command="cutover")
            expect(moved.code, 0, f"exit code of a cut-over that said {moved.output} {moved.log}")
            expect(world.read_on(group, "moved-sealed"), left, f"what group {group} still reads")

    run_and_move("first")
    run_and_move("anew", "--new-job")


# The examples

def examples(world: World):
    """Every file in pipelines/, in the order somebody would need them."""
    records = [customer(index) for index in range(500)]
    world.register("customers", schema("ssn", tagged=False))
    world.register("customers-sealed", schema("ssn"), rules("customers"))
    world.register("customers-rekeyed", schema("ssn"), rules("customers-2026"))
    world.register("customers-opened", schema("ssn", tagged=False))
    world.write("customers", records)
    sinks = {"backfill": "customers-sealed", "rekey": "customers-rekeyed", "hand-off": "customers-opened"}
    for name, sink in sinks.items():
        expect_run(world.sandbox.job(PIPELINES / f"{name}.json"), written=500, passed=0)
        expect(world.read(sink), records, f"what {name}.json made")
    world.register("customers", schema("ssn"), rules("customers-2026"))
    # The mock has no settings of topics to tell that this one is compacted.
    expect_run(world.sandbox.job(PIPELINES / "in-place.json", IN_PLACE="force"), written=500, superseded=0)
    newest = {message.key(): message for message in world.sandbox.consume(["customers"])["customers"]}
    found = world.deserialized("customers", list(newest.values()))
    expect(sorted(found, key=lambda record: record["id"]), records, "what in-place.json made")
    tried = set(sinks) | {"in-place", "pipeline.schema"}
    expect({file.stem for file in PIPELINES.glob("*.json")}, tried, "examples")


CASES = {
    half_migrated: {"half-in": 1, "half-out": 1, "half-rekeyed": 1, "half-again": 1},
    rule_drift: {"drift-in": 1, "drift-opened": 1, "drift-out": 1},
    schema_drift: {"versions-in": 1, "versions-twin": 1, "versions-resolved": 1},
    cut_over: {"moved": 3, "moved-sealed": 3},
    examples: {"customers": 4, "customers-sealed": 4, "customers-rekeyed": 4, "customers-opened": 4},
}


def main(reseal: str, *names: str):
    FieldEncryptionExecutor.register()
    LocalKmsDriver.register()
    topics = {topic: count for case in CASES.values() for topic, count in case.items()}
    with Sandbox(reseal, topics) as sandbox:
        for case in CASES:
            if names and case.__name__ not in names:
                continue
            problem = None
            try:
                case(World(sandbox))
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            print(json.dumps({"case": case.__name__, "problem": problem}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
