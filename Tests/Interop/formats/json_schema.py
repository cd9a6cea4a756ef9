import json

from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer

type_name = "JSON"


def schema(record_name: str, tagged: bool) -> str:
    def personal(type, **more):
        return {**({"type": type} if type else {}), **more, **({"confluent:tags": ["PII"]} if tagged else {})}

    address = {"type": "object", "properties": {"street": personal("string"), "city": {"type": "string"}}}
    return json.dumps({
        "$schema": "http://json-schema.org/draft-07/schema#", "title": record_name, "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "ssn": personal("string"),
            "nickname": personal(["null", "string"]),
            "email": personal(None, oneOf=[{"type": "null"}, {"type": "string"}]),
            "phones": personal("array", items={"type": "string"}),
            "home": {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/Address"}]},
            "former": {"type": "array", "items": {"$ref": "#/definitions/Address"}},
            "score": {"type": "number"},
            "kind": {"enum": ["SMALL", "LARGE"]},
            "remark": {"type": "string"},
        },
        "required": ["id", "ssn"], "definitions": {"Address": address}})


def tags(record_name: str) -> dict[str, list[str]]:
    return {"$.ssn": ["PII"], "$.n*": ["PII"], "$.ph?nes": ["PII", "OTHER"], "$.email": ["PII"], "**.street": ["PII"]}


def records(record_name: str) -> list[dict]:
    full = {
        "id": 1, "ssn": "canary 078-05-1120", "nickname": "canary \"Zoë\" \\ 🦊\n\t\u0001", "email": "canary@example.com",
        "phones": ["canary 1", "", "canary 3"], "home": {"street": "canary 1 High Street", "city": "Oxford"},
        "former": [{"street": "canary 2", "city": "Bath"}, {"street": "canary 3", "city": ""}], "score": -0.5,
        "kind": "LARGE", "remark": "plain Ω"}
    empty = {"id": -(2**63), "ssn": "", "nickname": None, "email": None, "phones": [], "home": None, "former": []}
    return [full, empty, {**full, "ssn": "canary " * 5_000}, {"id": 0, "ssn": "canary", "more": ["not", {"in": "it"}]}]


def serializer(client, schema, record_name, conf, rules):
    return JSONSerializer(schema, client, conf=conf, rule_conf=rules)


def deserializer(client, schema, record_name, conf, rules):
    # A schema given here would be the one whose rules count.
    return JSONDeserializer(None, schema_registry_client=client, conf=conf, rule_conf=rules)


def canonical(record_name: str, body: bytes) -> bytes:
    return body


def comparable(value):
    return value


def second(record_name: str, record: dict) -> list[tuple[bytes, bool]]:
    """The text in pieces, each with whether it is a tagged string.

    White space of every kind, escapes that are not needed, and numbers with exponents. Tagged strings are spelled
    as they come out of a decryption.
    """
    pieces: list[tuple[bytes, bool]] = []
    personal = ("ssn", "nickname", "email", "street")

    def keep(text: str):
        pieces.append((text.encode(), False))

    def spelled(text: str) -> str:
        units = text.encode("utf-16-be")
        return '"' + "".join(f"\\u{units[at] << 8 | units[at + 1]:04X}" for at in range(0, len(units), 2)) + '"'

    def write(value, tagged: bool):
        if isinstance(value, str):
            if tagged:
                pieces.append((json.dumps(value, ensure_ascii=False).encode(), True))
            else:
                keep(spelled(value))
        elif isinstance(value, dict):
            keep("\t{ ")
            for index, (name, member) in enumerate(value.items()):
                keep((" ,\r\n" if index else "") + (spelled(name) if index % 2 else json.dumps(name)) + "\t:\n ")
                write(member, name in personal)
            keep(" }")
        elif isinstance(value, list):
            keep("[ ")
            for index, member in enumerate(value):
                if index:
                    keep("\n, ")
                write(member, tagged)
            keep("\r]")
        elif isinstance(value, float):
            keep(f"{value * 1_000}E-03")
        else:
            keep(json.dumps(value))

    def top(value: dict):
        keep("\n {")
        for index, (name, member) in enumerate(value.items()):
            keep((" , " if index else "") + (spelled(name) if index % 2 else json.dumps(name)) + " : ")
            write(member, name in (*personal, "phones"))
        keep("}\n\n")

    top(record)
    body = b"".join(piece for piece, _ in pieces)
    assert json.loads(body) == record, f"{body} is not {record}"
    return pieces
