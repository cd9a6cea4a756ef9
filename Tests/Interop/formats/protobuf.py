import struct
from functools import cache

from confluent_kafka.schema_registry.confluent import meta_pb2
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

type_name = "PROTOBUF"

# number, name, type, label, tagged; the types are those of .proto source.
CUSTOMER = [
    (1, "id", "int64", "", False), (2, "ssn", "string", "", True), (3, "photo", "bytes", "", True),
    (4, "nickname", "string", "optional", True), (5, "phones", "string", "repeated", True), (6, "home", "Address", "", False),
    (7, "former", "Address", "repeated", False), (8, "score", "double", "", False), (9, "raw", "bytes", "", False),
    (10, "kind", "Kind", "", False), (300, "remark", "string", "", False),
]
ADDRESS = [(1, "street", "string", "", True), (2, "city", "string", "", False)]


def schema(record_name: str, tagged: bool) -> str:
    """Source text, as people write it; the registry makes the descriptor of it."""
    package, name = record_name.rsplit(".", 1)

    def message(name: str, fields) -> str:
        lines = [
            f"  {label} {type} {field} = {number}".replace("   ", "  ")
            + (' [(confluent.field_meta) = { tags: ["PII"] }]' if personal and tagged else "") + ";"
            for number, field, type, label, personal in fields]
        return "\n".join([f"message {name} {{", *lines, "}"])

    return "\n".join([
        'syntax = "proto3";', f"package {package};", 'import "confluent/meta.proto";', message(name, CUSTOMER),
        message("Address", ADDRESS), "enum Kind {\n  SMALL = 0;\n  LARGE = 1;\n}"])


def tags(record_name: str) -> dict[str, list[str]]:
    return {
        f"{record_name}.ssn": ["PII"], f"{record_name}.ph?t?": ["PII", "OTHER"], f"{record_name}.n*": ["PII"],
        "**.phones": ["PII"], "**.street": ["PII"]}


@cache
def message_class(record_name: str):
    """A program's own class, made from a descriptor as protoc makes it, with the tags that a program's source has."""
    package, name = record_name.rsplit(".", 1)
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package=package, syntax="proto3", dependency=["confluent/meta.proto"])
    for message_name, fields in ((name, CUSTOMER), ("Address", ADDRESS)):
        message = file.message_type.add(name=message_name)
        for number, field_name, type, label, personal in fields:
            field = message.field.add(name=field_name, number=number)
            field.label = field.LABEL_REPEATED if label == "repeated" else field.LABEL_OPTIONAL
            if type in ("Address", "Kind"):
                field.type_name = f".{package}.{type}"
                field.type = field.TYPE_MESSAGE if type == "Address" else field.TYPE_ENUM
            else:
                field.type = getattr(field, f"TYPE_{type.upper()}")
            if label == "optional":
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
            if personal:
                field.options.Extensions[meta_pb2.field_meta].tags.append("PII")
    kind = file.enum_type.add(name="Kind")
    for number, value in enumerate(("SMALL", "LARGE")):
        kind.value.add(name=value, number=number)
    # A pool of its own, because every record name has an Address beside it.
    pool = descriptor_pool.DescriptorPool()
    for dependency in ("google/protobuf/descriptor.proto", "confluent/meta.proto"):
        pool.AddSerializedFile(descriptor_pool.Default().FindFileByName(dependency).serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(record_name))


def records(record_name: str) -> list:
    Customer = message_class(record_name)
    full = dict(
        id=1, ssn="canary 078-05-1120", photo=b"canary \x00\xff\xfe", nickname="canary Zoë 🦊",
        phones=["canary 1", "", "canary 3"], home={"street": "canary 1 High Street", "city": "Oxford"},
        former=[{"street": "canary 2", "city": "Bath"}, {"street": "canary 3"}], score=-0.5, raw=bytes(range(256)), kind=1,
        remark="plain Ω")
    return [
        Customer(**full), Customer(), Customer(id=-(2**63), nickname="", home={}),
        Customer(**{**full, "ssn": "canary " * 5_000, "photo": b"canary " * 5_000})]


def serializer(client, schema, record_name, conf, rules):
    return ProtobufSerializer(message_class(record_name), client, conf=conf, rule_conf=rules)


def deserializer(client, schema, record_name, conf, rules):
    return ProtobufDeserializer(message_class(record_name), conf=conf, schema_registry_client=client, rule_conf=rules)


def canonical(record_name: str, body: bytes) -> bytes:
    """A field that is absent and one that is empty are the same."""
    return message_class(record_name).FromString(body).SerializeToString(deterministic=True)


def comparable(value):
    value.DiscardUnknownFields()
    return value


def second(record_name: str, record) -> list[tuple[bytes, bool]]:
    """The body in pieces, each with whether it is the encoding of a tagged value.

    Fields come backwards, tags and untouched numbers with more bytes than they need, empty fields are written, and
    between them are some that nobody knows.
    """
    kinds = {"int64": 0, "Kind": 0, "double": 1, "string": 2, "bytes": 2, "Address": 2}

    def number(value: int, spare: int = 0) -> bytes:
        groups = []
        while value or not groups:
            groups.append(value & 0x7F)
            value >>= 7
        groups += [0] * min(spare, 10 - len(groups))
        return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])

    def message(value, fields) -> list[tuple[bytes, bool]]:
        pieces: list[tuple[bytes, bool]] = []
        for tag, name, type, label, personal in reversed(fields):
            field = getattr(value, name)
            if (label == "optional" or type == "Address") and label != "repeated" and not value.HasField(name):
                continue
            for item in field if label == "repeated" else [field]:
                pieces.append((number(tag << 3 | kinds[type], spare=1), False))
                if type == "Address":
                    inner = message(item, ADDRESS)
                    # The length changes with what is inside.
                    pieces += [(number(sum(len(piece) for piece, _ in inner)), True), *inner]
                elif kinds[type] == 2:
                    data = item.encode() if isinstance(item, str) else item
                    length = number(len(data), spare=0 if personal else 2)
                    pieces.append((length + data, personal))
                else:
                    pieces.append((struct.pack("<d", item) if type == "double" else number(item % 2**64, spare=2), False))
        return [*pieces, (number(1_000 << 3 | 2) + b"\x04what" + number(1_001 << 3 | 0, spare=1) + b"\x81\x00", False)]

    pieces = message(record, CUSTOMER)
    read = comparable(message_class(record_name).FromString(b"".join(piece for piece, _ in pieces)))
    assert read == record, f"{read} is not {record}"
    return pieces
