"""Changes a topic while a job without an end reads it, and sees that the job stops and says why.

Given another partition, the topic is read from that partition's beginning when the job is run again. Deleted, it leaves
the job nothing to do.

    topic_changes.py PROGRAM --bootstrap HOST:PORT

Needs a real cluster: the sandbox's topics neither grow nor go. Exits 0 when all of it holds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from world import SECRET, Sandbox, expect

# How soon clients hear of the new partition, in milliseconds.
REFRESH = 500
PATIENCE = 60


def produce(brokers: str, topic: str, partition: int):
    producer = Producer({"bootstrap.servers": brokers})
    producer.produce(topic, None, b"key", partition=partition)
    expect(producer.flush(PATIENCE), 0, "records that were not delivered")


def wait_for(brokers: str, topic: str, partition: int):
    """Until the sink has a record in that partition."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, partition, 0)])
    message = consumer.poll(PATIENCE)
    expect(message is not None and not message.error(), True, f"whether {topic}[{partition}] got a record")
    consumer.close()


class Job:
    """A pipeline between two topics of its own, and how it is run."""

    def __init__(self, options, admin: AdminClient, sandbox: Sandbox, folder: str, name: str):
        self.options, self.admin = options, admin
        self.source, self.sink = f"{name}-in", f"{name}-out"
        self.file = Path(folder) / f"{name}.json"
        self.file.write_text(json.dumps({
            "name": name, "source": {"topics": [self.source], "from": "earliest"},
            "sink": {"topic": self.sink}, "steps": [{"decrypt": {}}],
            "schemaRegistry": {"url": sandbox.registry},
            "kafka": {"bootstrap.servers": options.bootstrap, "topic.metadata.refresh.interval.ms": REFRESH}}))
        # Tombstones need no schema, but the sink does.
        SchemaRegistryClient({"url": sandbox.registry}).register_schema(
            f"{self.sink}-value", Schema('{"type": "record", "name": "Empty", "fields": []}', "AVRO"))

    def __enter__(self) -> "Job":
        settle(self.admin.create_topics([NewTopic(self.source, 1, 1), NewTopic(self.sink, 2, 1)]))
        produce(self.options.bootstrap, self.source, 0)
        return self

    def __exit__(self, *_):
        there = self.admin.list_topics(timeout=PATIENCE).topics
        settle(self.admin.delete_topics([topic for topic in (self.source, self.sink) if topic in there]))

    def until(self, partition: int, change, code: int) -> str:
        """Runs the job until the sink has a record in that partition, then calls `change`, which must end it with this
        exit code; returns what it said."""
        process = subprocess.Popen(
            [self.options.program, "run", str(self.file)], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "LOCAL_SECRET": SECRET})
        try:
            wait_for(self.options.bootstrap, self.sink, partition)
            change(process)
            _, log = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        expect(process.returncode, code, f"exit code of the job, which said {log[-600:]}")
        return log


def settle(futures: dict):
    for future in futures.values():
        future.result()


def grow(job: Job):
    log = job.until(0, lambda _: settle(job.admin.create_partitions([NewPartitions(job.source, 2)])), 1)
    says = f"the source topic has grown: {job.source}[1]"
    expect(says in log, True, f"whether the job says so in {log[-600:]}")
    produce(job.options.bootstrap, job.source, 1)
    job.until(1, lambda process: process.terminate(), 0)
    # What was written before the job stopped was committed, too.
    consumer = Consumer({"bootstrap.servers": job.options.bootstrap, "group.id": f"{job.sink}-ends"})
    ends = [consumer.get_watermark_offsets(TopicPartition(job.sink, partition)) for partition in (0, 1)]
    consumer.close()
    expect(ends, [(0, 1), (0, 1)], "where the sink's partitions begin and end")
    print("good: the job stopped when its topic grew, and took the new partition up when it was run again")


def delete(job: Job):
    log = job.until(0, lambda _: settle(job.admin.delete_topics([job.source])), 1)
    expect(job.source in log, True, f"whether the job names the topic in {log[-600:]}")
    print("good: the job stopped when its topic was deleted")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--bootstrap", required=True)
    options = parser.parse_args()
    admin = AdminClient({"bootstrap.servers": options.bootstrap})
    with Sandbox(options.program, {}) as sandbox, tempfile.TemporaryDirectory() as folder:
        for change in (grow, delete):
            name = f"{change.__name__}-{uuid.uuid4().hex[:8]}"
            with Job(options, admin, sandbox, folder, name) as job:
                change(job)
    return 0


if __name__ == "__main__":
    sys.exit(main())
