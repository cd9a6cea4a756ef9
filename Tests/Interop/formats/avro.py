import json
from datetime import datetime, timezone

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
