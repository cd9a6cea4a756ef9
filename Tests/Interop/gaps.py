"""Writes records whose offsets have gaps, as compaction and transactions leave them, to librdkafka's mock broker.

No client can: offsets follow each other as they produce. The mock gives a batch as many offsets as its header counts,
and leaves the records' own distances from the first as they are, so a batch is made by hand and sent over a socket. It
checks no checksum, and neither do consumers unless told to (Kafka protocol: Produce version 7, record batch version 2).
"""

import random
import socket
import struct


def varint(value: int) -> bytes:
    """Kafka's and Avro's signed integer: zigzag, seven bits a byte."""
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def record(distance: int, key: bytes, value: bytes) -> bytes:
    body = b"\0" + varint(0) + varint(distance) + varint(len(key)) + key + varint(len(value)) + value + varint(0)
    return varint(len(body)) + body


def batch(distances: list[int], messages: list[tuple[bytes, bytes]], span: int) -> bytes:
    """`span` offsets, of which those at `distances` hold records."""
    time = 1_700_000_000_000
    head = struct.pack(">IhiqqqhiI", 0, 0, span - 1, time, time, -1, -1, -1, span)
    body = head + b"".join(record(distance, *message) for distance, message in zip(distances, messages))
    return struct.pack(">qiiB", 0, len(body) + 5, 0, 2) + body


def produce_with_gaps(
    broker: str, topic: str, partition: int, messages: list[tuple[bytes, bytes]], choose: random.Random
) -> list[int]:
    """Produces keys and values in batches with gaps anywhere, and returns their offsets. The partition must be empty."""
    host, port = broker.split(":")
    offsets, begin = [], 0
    with socket.create_connection((host, int(port))) as connection:
        while len(offsets) < len(messages):
            chunk = messages[len(offsets):len(offsets) + choose.randint(1, 60)]
            span = len(chunk) + choose.randint(0, len(chunk))
            distances = sorted(choose.sample(range(span), len(chunk)))
            send(connection, topic, partition, batch(distances, chunk, span))
            offsets += [begin + distance for distance in distances]
            begin += span
    return offsets


def send(connection: socket.socket, topic: str, partition: int, records: bytes):
    request = (
        struct.pack(">hhi", 0, 7, 1) + text("gaps") + struct.pack(">hhii", -1, -1, 10_000, 1)
        + text(topic) + struct.pack(">iii", 1, partition, len(records)) + records)
    connection.sendall(struct.pack(">i", len(request)) + request)
    size = struct.unpack(">i", exactly(connection, 4))[0]
    answer = exactly(connection, size)
    # Correlation, one topic, its name, one partition, its number; then the error.
    error = struct.unpack(">h", answer[4 + 4 + 2 + len(topic) + 4 + 4:][:2])[0]
    if error != 0:
        raise RuntimeError(f"the broker refused a batch with error {error}")


def exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise RuntimeError("the broker closed the connection")
        data += part
    return data
