"""Gives a topic another partition while a job without an end reads it. The job must stop, say so, and when it is run
again read the new partition from its beginning.

    grown.py PROGRAM --bootstrap HOST:PORT

Needs a real cluster: the sandbox's topics do not grow. Exits 0 when all of it holds.
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


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--bootstrap", required=True)
    options = parser.parse_args()
    name = f"grown-{uuid.uuid4().hex[:8]}"
    source, sink = f"{name}-in", f"{name}-out"
    admin = AdminClient({"bootstrap.servers": options.bootstrap})
    topics = [NewTopic(source, 1, 1), NewTopic(sink, 2, 1)]
    for future in admin.create_topics(topics).values():
        future.result()
    try:
        with Sandbox(options.program, {}) as sandbox, tempfile.TemporaryDirectory() as folder:
            SchemaRegistryClient({"url": sandbox.registry}).register_schema(
                f"{sink}-value", Schema('{"type": "record", "name": "Empty", "fields": []}', "AVRO"))
            file = Path(folder) / "pipeline.json"
            file.write_text(json.dumps({
                "name": name, "source": {"topics": [source], "from": "earliest"}, "sink": {"topic": sink},
                "steps": [{"decrypt": {}}], "schemaRegistry": {"url": sandbox.registry},
                "kafka": {
                    "bootstrap.servers": options.bootstrap, "topic.metadata.refresh.interval.ms": REFRESH}}))
            check(options, admin, file, source, sink)
    finally:
        for future in admin.delete_topics([source, sink]).values():
            future.result()
    return 0


def check(options, admin: AdminClient, file: Path, source: str, sink: str):
    def run() -> subprocess.Popen:
        return subprocess.Popen(
            [options.program, "run", str(file)], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "LOCAL_SECRET": SECRET})

    # Tombstones need no schema.
    produce(options.bootstrap, source, 0)
    job = run()
    try:
        wait_for(options.bootstrap, sink, 0)
        for future in admin.create_partitions([NewPartitions(source, 2)]).values():
            future.result()
        _, log = job.communicate(timeout=PATIENCE)
    finally:
        job.kill()
    expect(job.returncode, 1, f"exit code of the job, which said {log[-600:]}")
    expect(f"the source topic has grown: {source}[1]" in log, True, f"whether the job says so in {log[-600:]}")
    produce(options.bootstrap, source, 1)
    job = run()
    try:
        wait_for(options.bootstrap, sink, 1)
        job.terminate()
        _, log = job.communicate(timeout=PATIENCE)
    finally:
        job.kill()
    expect(job.returncode, 0, f"exit code of the second run, which said {log[-600:]}")
    # What was written before the job stopped was committed, too.
    consumer = Consumer({"bootstrap.servers": options.bootstrap, "group.id": f"{sink}-ends"})
    ends = [consumer.get_watermark_offsets(TopicPartition(sink, partition)) for partition in (0, 1)]
    consumer.close()
    expect(ends, [(0, 1), (0, 1)], "where the sink's partitions begin and end")
    print("good: the job stopped when its topic grew, and took the new partition up when it was run again")


if __name__ == "__main__":
    sys.exit(main())
