"""Rewrites a topic in place while others write and delete its keys, and checks that theirs is what stays.

    in_place.py PROGRAM [--bootstrap HOST:PORT] [--keys N] [--writers N] …

The topic holds older and newer values of each key in the clear, tombstones, and keys whose value is sealed already. The
writers are genuine clients that seal; against a cluster that knows transactions one of them writes in transactions, of
which it aborts some. Without --bootstrap everything happens in a sandbox, whose broker shows aborted records; the
job's own, which its log names, are left out here as any other broker leaves them out.

Checked at the end: each key's newest record is the writers' newest where they wrote or deleted it, else what there was
in the beginning; all of them sealed, opened by the genuine client. Run again, the job finds nothing to do.
The last line counts what the last process of the job did.
"""

import argparse
import json
import os
import random
import re
import sys
import threading
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver

from job_runs import World, rules, schema
from reader import records
from world import JobRun, Sandbox, expect


class Topic:
    """A topic, and the newest value of each key as far as whoever wrote it knows."""

    def __init__(self, options, world: World):
        self.options, self.world = options, world
        self.name = f"place-{options.seed}"
        self.brokers = options.bootstrap or world.sandbox.brokers
        self.lock = threading.Lock()
        # By key: offset and document; None is a tombstone.
        self.newest: dict[int, tuple[int, dict | None]] = {}
        # The genuine client's executors belong to the process, and are not made for several threads.
        self.serializing = threading.Lock()

    def create(self):
        if self.options.bootstrap is None:
            return
        new = NewTopic(
            self.name, self.options.partitions, self.options.replication, config={"cleanup.policy": "compact"})
        admin = AdminClient({"bootstrap.servers": self.brokers})
        for future in admin.create_topics([new]).values():
            future.result()

    def producer(self, **settings) -> Producer:
        return Producer({"bootstrap.servers": self.brokers, "linger.ms": 5, **settings})

    def produce(self, producer: Producer, key: int, document: dict | None, value: bytes | None, written: list | None = None):
        """Notes what was delivered at once, or in `written`, for whoever commits a transaction."""
        def delivered(error, message):
            if error is not None:
                raise RuntimeError(str(error))
            if written is not None:
                written.append((key, message.offset(), document))
            else:
                self.note(key, message.offset(), document)

        while True:
            try:
                producer.produce(
                    self.name, key=b"%d" % key, value=value, partition=key % self.options.partitions,
                    on_delivery=delivered)
                producer.poll(0)
                return
            except BufferError:
                producer.poll(0.1)

    def note(self, key: int, offset: int, document: dict | None):
        with self.lock:
            if key not in self.newest or self.newest[key][0] < offset:
                self.newest[key] = (offset, document)

    # Beforehand

    def fill(self):
        """Everything in the clear, some of it more than once, some deleted; and then some sealed."""
        keys = range(self.options.keys)
        choose = random.Random(self.options.seed)
        self.world.register(self.name, schema("ssn", tagged=False))
        older = [{"id": key, "ssn": f"canary-{key}-older"} for key in keys if choose.random() < 0.4]
        newer = [{"id": key, "ssn": f"canary-{key}"} for key in keys]
        producer = self.producer()
        for documents in (older, newer):
            for document, value in zip(documents, self.world.serialized(self.name, documents)):
                self.produce(producer, document["id"], document, value)
        for key in keys:
            if key % 20 == 7:
                self.produce(producer, key, None, None)
        self.world.register(self.name, schema("ssn"), rules(self.name))
        sealed = [{"id": key, "ssn": f"canary-{key}-sealed"} for key in keys if key % 10 == 3]
        self.serialize = self.world.serializer(self.name)
        for document, value in zip(sealed, self.serialize(sealed)):
            self.produce(producer, document["id"], document, value)
        producer.flush()

    # Meanwhile

    def write(self, number: int, ended: threading.Event, failures: list):
        try:
            self.write_on(number, ended)
        except Exception as error:
            failures.append(f"writer {number}: {type(error).__name__}: {error}")

    def write_on(self, number: int, ended: threading.Event):
        choose = random.Random(f"{self.options.seed}-{number}")
        has_transactions = self.options.bootstrap is not None and number == 0
        producer = self.producer(**({"transactional.id": f"{self.name}-{number}"} if has_transactions else {}))
        if has_transactions:
            producer.init_transactions(30)
        count = 0
        while not ended.is_set():
            documents = []
            for _ in range(self.options.batch):
                count += 1
                documents.append({"id": choose.randrange(self.options.keys), "ssn": f"canary-writer-{number}-{count}"})
            with self.serializing:
                values = self.serialize(documents)
            written = [] if has_transactions else None
            if has_transactions:
                producer.begin_transaction()
            for document, value in zip(documents, values):
                is_deleted = choose.random() < 0.2
                self.produce(
                    producer, document["id"], None if is_deleted else document, None if is_deleted else value, written)
            producer.flush()
            if has_transactions:
                ended.wait(choose.random() * 0.1)
                if choose.random() < 0.3:
                    producer.abort_transaction()
                else:
                    producer.commit_transaction()
                    for key, offset, document in written:
                        self.note(key, offset, document)
            ended.wait(self.options.pause)

    # The job

    def run(self, name: str, *options: str, killed_after: float | None = None) -> JobRun:
        pipeline = {
            "name": name, "kafka": {"bootstrap.servers": self.brokers},
            "source": {"topics": [self.name], "until": "end"}, "steps": [{"encrypt": {}}],
            "sink": {"topic": self.name, "inPlace": "force" if self.options.bootstrap is None else "compacted"},
            "delivery": {"guarantee": "exactly-once"}}
        if self.options.rate:
            pipeline["delivery"]["recordsPerSecond"] = self.options.rate
        return self.world.sandbox.job(pipeline, "--log-level", "debug", *options, killed_after=killed_after)

    # Afterwards

    def read(self, given_up: set[tuple[int, int]]) -> dict[int, object]:
        """The newest message of each key."""
        return {
            int(message.key()): message for message in records(self.brokers, self.name)
            if (message.partition(), message.offset()) not in given_up}

    def check(self, given_up: set[tuple[int, int]]) -> int:
        """Raises what is wrong; returns how many keys the writers had touched."""
        found = self.read(given_up)
        expect(set(found), set(self.newest), "keys")
        wanted = {key: document for key, (_, document) in self.newest.items()}
        living = [key for key, message in found.items() if message.value() is not None]
        expect(set(living), {key for key, document in wanted.items() if document is not None}, "keys with a value")
        documents = self.world.deserialized(self.name, [found[key] for key in living])
        for key, document in zip(living, documents):
            expect(document, wanted[key], f"newest value of {key}, at {found[key].partition()}@{found[key].offset()}")
        return sum("writer" in document["ssn"] for document in wanted.values() if document is not None)


def given_up(run: JobRun) -> set[tuple[int, int]]:
    """What the job's log says it wrote in vain."""
    found = set()
    for line in run.log.splitlines():
        if '"records were given up"' in line:
            entry = json.loads(line)
            partition = int(re.search(r"\[(\d+)\]", entry["partition"])[1])
            found |= {(partition, int(offset)) for offset in entry["offsets"].split(",")}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Rewrites a topic in place under writers and checks the result.")
    parser.add_argument("program")
    parser.add_argument("--bootstrap", help="brokers to use in place of the sandbox's")
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--replication", type=int, default=1)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=10, help="records a writer writes at a time")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between them")
    parser.add_argument("--rate", type=int, default=5_000, help="records a second the job may read; 0: all it can")
    parser.add_argument("--kills", type=int, default=0, help="times the job is killed and started again")
    parser.add_argument("--seed", default=f"{os.getpid()}-{int(time.time())}")
    options = parser.parse_args()
    if options.bootstrap is None and options.kills > 0:
        parser.error("the sandbox's broker shows what a killed job left behind: --bootstrap is needed for kills")
    print(f"seed {options.seed}", flush=True)
    FieldEncryptionExecutor.register()
    LocalKmsDriver.register()
    name = f"place-{options.seed}"
    topics = {name: options.partitions} if options.bootstrap is None else {}
    with Sandbox(options.program, topics) as sandbox:
        topic = Topic(options, World(sandbox))
        topic.create()
        topic.fill()
        ended, failures = threading.Event(), []
        writers = [
            threading.Thread(target=topic.write, args=(number, ended, failures)) for number in range(options.writers)]
        for writer in writers:
            writer.start()
        start = time.monotonic()
        choose = random.Random(options.seed)
        killed = [topic.run(name, killed_after=choose.uniform(1, 8)).code for _ in range(options.kills)]
        run = topic.run(name)
        elapsed = time.monotonic() - start
        ended.set()
        for writer in writers:
            writer.join()
        expect(failures, [], "failures of writers")
        expect(run.code, 0, f"exit code of a job that said {run.log[-1_000:]}")
        touched = topic.check(given_up(run))
        # The mock takes no offsets for a group that had members once, and keeps none of transactions.
        again = topic.run(name, "--new-job") if options.bootstrap else topic.run(f"{name}-again")
        expect((again.code, again.counts.get("written")), (0, 0), f"code and records of a second run {again.log[-600:]}")
        topic.check(given_up(run))
    overtaken = run.log.count("a record of somebody else came between")
    expect(touched > 0, True, "whether writers wrote anything meanwhile")
    # What killed processes met is not known.
    expect(overtaken > 0 or options.kills > 0, True, "whether a writer ever came between")
    print(
        f"good: {len(topic.newest)} keys, {touched} of them last written by others meanwhile, {killed.count(-9)} kills; "
        f"{run.counts['written']} records written in {elapsed:.1f} s, {overtaken} transactions done again, "
        f"{run.counts['superseded']} records superseded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
