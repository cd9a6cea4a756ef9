"""Reads topics to their ends, and a sink as its ordinary consumers do, with the genuine client:

    reader.py PROGRAM BROKERS REGISTRY TOPIC SECRET

Every record must have its tagged field `ssn` sealed and open to what it was, which begins with "canary". Prints how many
there are; fails at the first that is not so.
"""

import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext


def opener(registry: str, topic: str, secret: str):
    """Opens a record of a topic; with an executor of its own, because executors remember KEKs for ever."""
    LocalKmsDriver.register()
    FieldEncryptionExecutor.register()
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}), rule_conf={"secret": secret})
    context = SerializationContext(topic, MessageField.VALUE)
    return lambda message: deserialize(message.value(), context)


def records(brokers: str, *topics: str, at_end=lambda consumer, end: None):
    """Each committed record there is; nobody must be writing."""
    consumer = Consumer({
        "bootstrap.servers": brokers, "group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": True})
    partitions = [
        TopicPartition(topic, partition, OFFSET_BEGINNING)
        for topic in topics for partition in consumer.list_topics(topic, 30).topics[topic].partitions]
    yield from records_from(consumer, partitions, at_end)


def records_from(consumer: Consumer, positions: list[TopicPartition], at_end=lambda consumer, end: None):
    """Each record behind these positions, those of a partition in order; `at_end` is told where each partition ends. Closes
    the consumer, which must have `enable.partition.eof`."""
    consumer.assign(positions)
    left = {(position.topic, position.partition) for position in positions}
    while left:
        for message in consumer.consume(5_000, timeout=1):
            if message.error() is None:
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                left.discard((message.topic(), message.partition()))
                at_end(consumer, message)
            else:
                raise RuntimeError(str(message.error()))
    consumer.close()


def main(brokers: str, registry: str, topic: str, secret: str):
    opened, count = opener(registry, topic, secret), 0
    for message in records(brokers, topic):
        where = f"{topic}[{message.partition()}]@{message.offset()}"
        assert b"canary" not in message.value(), f"{where}: a tagged value is in the clear"
        assert opened(message)["ssn"].startswith("canary"), f"{where}: does not open to what it was"
        count += 1
    print(count)


if __name__ == "__main__":
    main(*sys.argv[2:])
