"""Kills two instances of one job again and again, lets them finish, and checks what they left.

    kill_loop.py PROGRAM [--bootstrap HOST:PORT] [--rounds N] [--guarantee at-least-once|exactly-once] …

Each round is a job of its own with its own topics. Its source holds records of aborted transactions and other gaps
where the cluster knows transactions. Without --bootstrap everything happens in a sandbox, whose broker keeps no
offsets of transactions, so that only at-least-once can be tried there.

An instance is killed a random while after it has begun to write; it was at work when it had more to do.
With --freezes it is stopped as often, too, for longer than the group waits for it, and goes on when the other has its
partitions: what it has begun must not count then.

Checked after each round: every source record has its sink record, in order, which shows nothing of the tagged value and
which the genuine client reads as what it was; it has an entry in the offset map, and the entry leads to it; under
exactly-once none is there twice. What was random is made again with --seed.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from gaps import varint
from reader import opener, records
from world import SECRET, Sandbox

SCHEMA = json.dumps({
    "type": "record", "name": "Item", "fields": [
        {"name": "id", "type": "long"},
        {"name": "secret", "type": "string", "confluent:tags": ["PII"]}]})


class Bytes:
    """Reads the variable-length integers that Avro and the offset map share."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def signed(self) -> int:
        value = self.unsigned()
        return value >> 1 ^ -(value & 1)


class Instance:
    """A run of the job in a process of its own."""

    def __init__(self, program: str, file: str, name: str, log: Path):
        self.name, self.log = name, log
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                [program, "run", "--instance", name, "--status", "127.0.0.1:0", file], stdout=output, stderr=output)

    def ends(self, within: float) -> bool:
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def is_at_work(self) -> bool:
        """Whether it has written records and has more of them before it."""
        address = re.search(r'"status port","address":"([0-9.:]+)"', self.log.read_text())
        if address is None:
            return False
        try:
            with urllib.request.urlopen(f"http://{address[1]}/status", timeout=5) as answer:
                job = json.load(answer)["jobs"][0]
        except (urllib.error.URLError, OSError):
            # Not any more.
            return False
        written, partitions = job.get("records", {}).get("written", 0), job.get("partitions", [])
        return written > 0 and any(partition["lag"] for partition in partitions)

    def gets_to_work(self, within: float) -> bool:
        """Waits until it is at work; false when it ends without, or takes longer."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline and not self.ends(within=0.05):
            if self.is_at_work():
                return True
        return False


class Round:
    def __init__(self, options, registry: str, brokers: str, number: int):
        self.options, self.registry, self.brokers = options, registry, brokers
        self.random = random.Random(f"{options.seed}-{number}")
        self.name = name(options, number)
        self.source, self.sink = topics(options, number)
        self.has_transactions = options.bootstrap is not None
        # By partition: source offset and number of each record that counts.
        self.records: dict[int, list[tuple[int, int]]] = {p: [] for p in range(options.partitions)}
        # Of each kind: all of them, and those that met an instance at work.
        self.blows, self.blows_at_work = Counter(), Counter()

    def create_topics(self):
        admin = AdminClient({"bootstrap.servers": self.brokers})
        new = [NewTopic(topic, self.options.partitions, self.options.replication) for topic in (self.source, self.sink)]
        for future in admin.create_topics(new).values():
            future.result()

    # Source

    def produce(self):
        rule = {
            "name": "enc", "kind": "TRANSFORM", "mode": "WRITEREAD", "type": "ENCRYPT", "tags": ["PII"], "params": {
                "encrypt.kek.name": "kill", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "k"}}
        source_id = self.register(f"{self.source}-value", {"schema": SCHEMA})
        self.register(f"{self.sink}-value", {"schema": SCHEMA, "ruleSet": {"domainRules": [rule]}})
        settings = {"bootstrap.servers": self.brokers, "linger.ms": 5, "batch.num.messages": 500}
        if self.has_transactions:
            settings["transactional.id"] = f"{self.name}-source"
        producer = Producer(settings)
        if self.has_transactions:
            producer.init_transactions(30)
        number, left = 0, self.options.records
        while left > 0:
            chunk = min(left, self.random.randint(1, self.options.records // 4))
            counts = not self.has_transactions or self.random.random() < 0.8
            number = self.produce_chunk(producer, source_id, number, chunk, counts)
            left -= chunk if counts else 0

    def register(self, subject: str, schema: dict) -> int:
        request = urllib.request.Request(
            f"{self.registry}/subjects/{subject}/versions", json.dumps(schema).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["id"]

    def produce_chunk(self, producer, schema_id: int, number: int, count: int, counts: bool) -> int:
        written = []

        def delivered(error, message):
            if error is None:
                written.append((message.partition(), message.offset(), int(message.key())))
            elif counts:
                raise RuntimeError(str(error))

        if self.has_transactions:
            producer.begin_transaction()
        for index in range(number, number + count):
            text = f"canary-{index}".encode()
            value = b"\0" + schema_id.to_bytes(4, "big") + varint(index) + varint(len(text)) + text
            while True:
                try:
                    producer.produce(
                        self.source, key=str(index), value=value, partition=index % self.options.partitions,
                        on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        producer.flush()
        if self.has_transactions:
            producer.commit_transaction() if counts else producer.abort_transaction()
        if counts:
            for partition, offset, index in written:
                self.records[partition].append((offset, index))
        return number + count

    # Job

    def pipeline(self, folder: str) -> str:
        delivery = {"guarantee": self.options.guarantee, "commitIntervalMs": 100}
        if self.options.rate:
            delivery["recordsPerSecond"] = self.options.rate
        file = Path(folder) / "pipeline.json"
        file.write_text(json.dumps({
            "name": self.name,
            "kafka": {
                "bootstrap.servers": self.brokers, "session.timeout.ms": self.options.session_timeout,
                "heartbeat.interval.ms": self.options.session_timeout // 10},
            "schemaRegistry": {"url": self.registry},
            "rules": {"rule.executors._default_.param.secret": SECRET},
            "source": {"topics": [self.source], "until": "end"},
            "steps": [{"encrypt": {}}],
            "sink": {"topic": self.sink},
            "delivery": delivery}))
        return str(file)

    def run(self):
        """Kills instances at random moments of their work, then waits until both have seen the job through."""
        with tempfile.TemporaryDirectory() as folder:
            file, deadline = self.pipeline(folder), time.monotonic() + self.options.patience

            def start(name: str, number: int) -> Instance:
                return Instance(self.options.program, file, name, Path(folder) / f"{name}-{number}.log")

            running = {name: start(name, 0) for name in ("a", "b")}
            blows = ["kill"] * self.options.kills + ["freeze"] * self.options.freezes
            self.random.shuffle(blows)
            for number, blow in enumerate(blows, 1):
                victim, other = (running[name] for name in self.random.sample(sorted(running), 2))
                victim.gets_to_work(within=deadline - time.monotonic())
                if not victim.ends(within=self.random.uniform(0, self.options.longest)):
                    self.blows_at_work[blow] += victim.is_at_work()
                    self.blows[blow] += 1
                    if blow == "freeze":
                        self.freeze(victim, other)
                        continue
                    victim.process.kill()
                victim.process.wait()
                if self.random.random() < 0.5:
                    other.ends(within=self.random.uniform(0, 1))
                running[victim.name] = start(victim.name, number)
            for instance in running.values():
                instance.ends(within=max(deadline - time.monotonic(), 1))
                code = instance.process.poll()
                if code != 0:
                    for other in running.values():
                        other.process.kill()
                    raise AssertionError(
                        f"instance {instance.name} ended with {code}:\n{instance.log.read_text()[-3000:]}")

    def freeze(self, victim: Instance, other: Instance):
        """Stops an instance until the group has given its partitions away, and a random while more."""
        victim.process.send_signal(signal.SIGSTOP)
        other.ends(within=self.options.session_timeout / 1_000 * self.random.uniform(1.1, 2))
        victim.process.send_signal(signal.SIGCONT)

    # Check

    def read(self, topic: str, partitions: int) -> dict[int, list]:
        def at_end(consumer, end):
            partition = TopicPartition(topic, end.partition())
            _, last = consumer.get_watermark_offsets(partition)
            assert end.offset() == last, f"{topic}[{end.partition()}]: a transaction was left open"

        found = {p: [] for p in range(partitions)}
        for message in records(self.brokers, topic, at_end=at_end):
            found[message.partition()].append(message)
        return found

    def offset_map(self) -> dict[int, dict[int, int]]:
        """Sink offset by partition and source offset: pieces in the order they were written, later ones on top."""
        entries: dict[int, dict[int, int]] = {p: {} for p in range(self.options.partitions)}
        for message in self.read(f"{self.name}.state", 1)[0]:
            kind, *rest = message.key().decode().split("/")
            if kind != "map" or message.value() is None:
                continue
            data = Bytes(message.value())
            assert data.unsigned() == 1, "version of the offset map"
            source = target = 0
            while data.at < len(data.data):
                source += data.signed()
                target += data.signed()
                for _ in range(data.unsigned()):
                    entries[int(rest[1])][source] = target
                    source, target = source + 1, target + 1
        return entries

    def check(self) -> int:
        """Raises what is wrong; returns how many records were written more than once."""
        sink, entries, repeated = self.read(self.sink, self.options.partitions), self.offset_map(), 0
        opened = opener(self.registry, self.sink, SECRET)
        for partition, records in self.records.items():
            where = f"{self.sink}[{partition}]"
            position = {index: place for place, (_, index) in enumerate(records)}
            at, furthest = {}, -1
            for message in sink[partition]:
                index = int(message.key())
                assert b"canary" not in message.value(), f"{where}@{message.offset()}: a tagged value in the clear"
                is_whole = opened(message) == {"id": index, "secret": f"canary-{index}"}
                assert is_whole, f"{where}@{message.offset()}: the client does not read what {index} was"
                place = position[index]
                assert place <= furthest + 1, f"{where}@{message.offset()}: {index} comes before what precedes it"
                if place <= furthest:
                    repeated += 1
                furthest = max(furthest, place)
                at[message.offset()] = index
            assert furthest == len(records) - 1, f"{where}: {len(records) - 1 - furthest} records are missing"
            for offset, index in records:
                target = entries[partition].get(offset)
                assert target is not None, f"{where}: no entry for source offset {offset}"
                assert at.get(target) == index, f"{where}: source offset {offset} leads to {at.get(target)}, not {index}"
        if self.options.guarantee == "exactly-once":
            assert repeated == 0, f"{self.sink}: {repeated} records are there twice"
        return repeated


def name(options, number: int) -> str:
    return f"kill-{options.seed}-{number}"


def topics(options, number: int) -> tuple[str, str]:
    return f"{name(options, number)}-in", f"{name(options, number)}-out"


def counts(blows: Counter, at_work: Counter) -> str:
    return "; ".join(f"{blows[kind]} {kind}s, {at_work[kind]} of them at work" for kind in ("kill", "freeze"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Kills two instances of a job again and again and checks the result.")
    parser.add_argument("program")
    parser.add_argument("--bootstrap", help="brokers to use in place of the sandbox's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--guarantee", choices=["at-least-once", "exactly-once"], default="at-least-once")
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--replication", type=int, default=1)
    parser.add_argument("--kills", type=int, default=3, help="kills a round")
    parser.add_argument("--freezes", type=int, default=0, help="times a round that an instance is stopped and goes on")
    parser.add_argument("--longest", type=float, default=3, help="longest time an instance is at work before it is killed, in seconds")
    parser.add_argument("--rate", type=int, default=0, help="records a second an instance may read; 0: all it can")
    parser.add_argument("--session-timeout", type=int, default=6_000, help="the group's, in milliseconds")
    parser.add_argument("--patience", type=float, default=180, help="how long a round may take, in seconds")
    parser.add_argument("--seed", default=f"{os.getpid()}-{int(time.time())}")
    options = parser.parse_args()
    if options.bootstrap is None and options.guarantee == "exactly-once":
        parser.error("the sandbox's broker keeps no offsets of transactions: --bootstrap is needed for exactly-once")

    wanted = {}
    if options.bootstrap is None:
        for number in range(options.rounds):
            wanted |= {topic: options.partitions for topic in topics(options, number)}
            wanted[f"{name(options, number)}.state"] = 1
    print(f"seed {options.seed}", flush=True)
    failed = repeated = 0
    blows, at_work = Counter(), Counter()
    with Sandbox(options.program, wanted) as sandbox:
        for number in range(options.rounds):
            start = time.monotonic()
            round = Round(options, sandbox.registry, options.bootstrap or sandbox.brokers, number)
            try:
                if options.bootstrap is not None:
                    round.create_topics()
                round.produce()
                round.run()
                again = round.check()
                repeated += again
                print(f"round {number}: {counts(round.blows, round.blows_at_work)}; {again} records repeated, "
                      f"{time.monotonic() - start:.1f} s", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"round {number}: FAILED: {error}", flush=True)
            blows.update(round.blows)
            at_work.update(round.blows_at_work)
    print(f"{options.rounds - failed} of {options.rounds} rounds good; {counts(blows, at_work)}; "
          f"{repeated} records repeated")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
