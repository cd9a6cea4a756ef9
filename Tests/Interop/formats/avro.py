import io
import json
import struct
from datetime import datetime, timezone

import fastavro
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer

type_name = "AVRO"


def schema(record_name: str, tagged: bool) -> str:
    def field(name, type, **more):
        return {"name": name, "type": type, **more}

    def personal(name, type):
        return field(name, type, **({"confluent:tags": ["PII"]} if tagged else {}))

    namespace, name = record_name.rsplit(".", 1)
    address = {"type": "record", "name": "Address", "fields": [
        personal("street", "string"), field("city", "string")]}
    return json.dumps({"type": "record", "name": name, "namespace": namespace, "fields": [
        field("id", "long"),
        personal("ssn", "string"),
        personal("photo", "bytes"),
        personal("nickname", ["null", "string"]),
        personal("phones", {"type": "array", "items": "string"}),
        personal("notes", {"type": "map", "values": "string"}),
        field("home", ["null", address]),
        field("former", {"type": "array", "items": "Address"}),
        field("score", "double"),
        field("raw", "bytes"),
        field("kind", {"type": "enum", "name": "Kind", "symbols": ["SMALL", "LARGE"]}),
        field("since", {"type": "long", "logicalType": "timestamp-millis"}),
        field("remark", "string"),
    ]})


def tags(record_name: str) -> dict[str, list[str]]:
    """Plain names, one name's wildcard, and a wildcard over names."""
    return {
        f"{record_name}.ssn": ["PII"], f"{record_name}.ph?t?": ["PII", "OTHER"], f"{record_name}.n*": ["PII"],
        "*.*.phones": ["PII"], "**.street": ["PII"],
    }


def records(record_name: str) -> list[dict]:
    since = datetime(2024, 2, 29, 12, 30, 15, 250_000, tzinfo=timezone.utc)
    full = {
        "id": 1, "ssn": "canary 078-05-1120", "photo": b"canary \x00\xff\xfe", "nickname": "canary Zoë 🦊",
        "phones": ["canary 1", "", "canary 3"], "notes": {"first": "canary note", "": "canary"},
        "home": {"street": "canary 1 High Street", "city": "Oxford"},
        "former": [{"street": "canary 2", "city": "Bath"}, {"street": "canary 3", "city": ""}],
        "score": -0.5, "raw": bytes(range(256)), "kind": "LARGE", "since": since, "remark": "plain Ω",
    }
    empty = {
        "id": -(2**63), "ssn": "", "photo": b"", "nickname": None, "phones": [], "notes": {}, "home": None,
        "former": [], "score": 0.0, "raw": b"", "kind": "SMALL", "since": since, "remark": "",
    }
    long = {**full, "id": 2**63 - 1, "ssn": "canary " * 5_000, "photo": b"canary " * 5_000}
    return [full, empty, long]


def serializer(client, schema, record_name, conf, rules):
    return AvroSerializer(client, schema, conf=conf, rule_conf=rules)


def deserializer(client, schema, record_name, conf, rules):
    return AvroDeserializer(client, conf=conf, rule_conf=rules)


def canonical(record_name: str, body: bytes) -> bytes:
    return body


def comparable(value):
    return value


def second(record_name: str, record: dict) -> list[tuple[bytes, bool]]:
    """The body in pieces, each with whether it is the encoding of a tagged value.

    Arrays and maps come in several blocks that say their size, untouched numbers with more bytes than they need.
    """
    pieces: list[tuple[bytes, bool]] = []

    def number(value: int, spare: int = 0) -> bytes:
        rest = (value << 1) ^ (value >> 63)
        groups = []
        while rest or not groups:
            groups.append(rest & 0x7F)
            rest >>= 7
        groups += [0] * min(spare, 10 - len(groups))
        return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])

    def text(value: str | bytes) -> bytes:
        value = value.encode() if isinstance(value, str) else value
        return number(len(value)) + value

    def keep(*parts: bytes):
        pieces.extend((part, False) for part in parts)

    def seal(value: str | bytes):
        pieces.append((text(value), True))

    def blocks(items: list[list[tuple[bytes, bool]]]):
        """Each item is a list of pieces; a block holds one."""
        for item in items:
            size = sum(len(bytes) for bytes, _ in item)
            # The size changes with what is inside.
            pieces.extend([(number(-1), False), (number(size), any(sealed for _, sealed in item)), *item])
        keep(number(0))

    def address(value: dict) -> list[tuple[bytes, bool]]:
        return [(text(value["street"]), True), (text(value["city"]), False)]

    keep(number(record["id"], spare=3))
    seal(record["ssn"])
    seal(record["photo"])
    keep(number(0 if record["nickname"] is None else 1, spare=1))
    if record["nickname"] is not None:
        seal(record["nickname"])
    blocks([[(text(phone), True)] for phone in record["phones"]])
    blocks([[(text(name), False), (text(note), True)] for name, note in record["notes"].items()])
    keep(number(0 if record["home"] is None else 1))
    pieces.extend(address(record["home"]) if record["home"] is not None else [])
    blocks([address(former) for former in record["former"]])
    keep(struct.pack("<d", record["score"]), number(len(record["raw"]), spare=2), record["raw"])
    keep(number(["SMALL", "LARGE"].index(record["kind"]), spare=1))
    keep(number(round(record["since"].timestamp() * 1_000), spare=1), text(record["remark"]))
    # Another reader agrees that this is the record.
    body = b"".join(piece for piece, _ in pieces)
    read = fastavro.schemaless_reader(io.BytesIO(body), fastavro.parse_schema(json.loads(schema(record_name, tagged=False))))
    assert read == record, f"{read} is not {record}"
    return pieces
