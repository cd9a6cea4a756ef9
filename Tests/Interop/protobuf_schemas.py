"""Lets the genuine Python client keep Protobuf schemas in the embedded registry, imports included.

    python protobuf_schemas.py RESEAL

prints {"case": NAME, "problem": TEXT or null} for each way of finding a schema; exits 0 when the report is complete,
whatever it says.
"""

import base64
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.confluent import meta_pb2
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, message_factory, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from world import Sandbox

# What the client asks the registry for, with and without auto-registration.
REGISTER = {"auto.register.schemas": True, "use.deprecated.format": False}
LATEST = {"auto.register.schemas": False, "use.latest.version": True, "use.deprecated.format": False}
LOOK_UP = {"auto.register.schemas": False, "use.deprecated.format": False}

# Another spelling of part of the order: counts otherwise, because here the entry of the map does not.
SOURCE = """
    syntax = "proto3"; package shop.v1;
    import "dep/address.proto"; // registered by the client, as a descriptor
    message Order {
      map<string, Address> by_code = 5; message Inner { bytes deep = 1; } Address address = 1; string ssn = 4;
    }
    """


def field(message, number: int, name: str, kind: str, repeated=False, **more):
    """`kind` is a scalar, or a full name with a dot in front."""
    types = FieldDescriptorProto.Type
    declared = message.field.add(
        name=name, number=number, label=3 if repeated else 1,
        type=types.Value("TYPE_MESSAGE" if kind.startswith(".") else f"TYPE_{kind.upper()}"), **more)
    if kind.startswith("."):
        declared.type_name = kind
    return declared


def file(name: str, package: str, imports: list[str]) -> FileDescriptorProto:
    return FileDescriptorProto(name=name, package=package, syntax="proto3", dependency=imports)


def files() -> list[FileDescriptorProto]:
    """An order that imports an address, also by way of a line."""
    address = file("dep/address.proto", "shop.v1", ["confluent/meta.proto"])
    message = address.message_type.add(name="Address")
    field(message, 1, "street", "string").options.Extensions[meta_pb2.field_meta].tags.append("PII")
    field(message, 2, "city", "string")

    line = file("dep/line.proto", "shop.v1.lines", ["dep/address.proto"])
    message = line.message_type.add(name="Line")
    field(message, 1, "sku", "string")
    field(message, 2, "to", ".shop.v1.Address")

    order = file("order.proto", "shop.v1", [
        "dep/address.proto", "dep/line.proto", "google/protobuf/timestamp.proto", "confluent/meta.proto"])
    message = order.message_type.add(name="Order")
    field(message, 1, "address", ".shop.v1.Address")
    field(message, 2, "lines", ".shop.v1.lines.Line", repeated=True)
    field(message, 3, "at", ".google.protobuf.Timestamp")
    meta = field(message, 4, "ssn", "string").options.Extensions[meta_pb2.field_meta]
    meta.tags.extend(["PII", "PCI"])
    meta.params["k"] = "v"
    field(message, 5, "by_code", ".shop.v1.Order.ByCodeEntry", repeated=True)
    entry = message.nested_type.add(name="ByCodeEntry")
    entry.options.map_entry = True
    field(entry, 1, "key", "string")
    field(entry, 2, "value", ".shop.v1.Address")
    message.oneof_decl.add(name="pick")
    message.oneof_decl.add(name="_nick")
    field(message, 7, "phone", "string", oneof_index=0)
    field(message, 8, "inner", ".shop.v1.Order.Inner", oneof_index=0)
    field(message, 9, "nick", "string", oneof_index=1, proto3_optional=True)
    field(message, 10, "numbers", "sint32", repeated=True)
    field(message.nested_type.add(name="Inner"), 1, "deep", "bytes")
    return [address, line, order]


def pool(own: list[FileDescriptorProto]) -> DescriptorPool:
    pool = DescriptorPool()
    for module in (descriptor_pb2, timestamp_pb2, meta_pb2):
        known = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(known)
        pool.Add(known)
    for file in own:
        pool.Add(file)
    return pool


def order_class(own: list[FileDescriptorProto]):
    return message_factory.GetMessageClass(pool(own).FindMessageTypeByName("shop.v1.Order"))


def sample(order_class):
    order = order_class(ssn="078-05-1120", nick="", numbers=[1, -2])
    order.address.street = "12 Hatter Lane"
    order.lines.add(sku="a").to.city = "Bath"
    order.at.seconds = 5
    order.by_code["x"].street = "y"
    order.inner.deep = b"\x00"
    return order


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r:.300}, wanted {wanted!r:.300}")


def cases(registry: str):
    """Names and what to try, in order; each with a client of its own, because clients remember what they registered."""
    Order = order_class(files())
    order = sample(Order)
    written = {}

    def client():
        return SchemaRegistryClient({"url": registry})

    def write(topic: str, configuration: dict) -> bytes:
        return ProtobufSerializer(Order, client(), configuration)(order, SerializationContext(topic, MessageField.VALUE))

    def read(topic: str, value: bytes, configuration: dict):
        deserialize = ProtobufDeserializer(Order, {"use.deprecated.format": False, **configuration}, client())
        expect(deserialize(value, SerializationContext(topic, MessageField.VALUE)), order)

    def registers():
        written["orders"] = write("orders", REGISTER)
        expect(client().get_subjects(), ["dep/address.proto", "dep/line.proto", "orders-value"])
        references = client().get_latest_version("orders-value").schema.references
        expect([reference.name for reference in references], ["dep/address.proto", "dep/line.proto"])

    def registers_once():
        expect(write("orders", REGISTER), written["orders"])
        expect(client().get_versions("orders-value"), [1])

    def serializes_what_it_was_given():
        text = client().get_latest_version("orders-value", fmt="serialized").schema.schema_str
        again = FileDescriptorProto.FromString(base64.b64decode(text))
        again.name = "again.proto"
        Again = order_class([*files()[:2], again])
        expect(Again.FromString(order.SerializeToString()).SerializeToString(deterministic=True),
               order.SerializeToString(deterministic=True))

    def reads_source():
        reference = SchemaReference("dep/address.proto", "dep/address.proto", 1)
        client().register_schema("source-value", Schema(SOURCE, "PROTOBUF", [reference]))
        read("source", write("source", LATEST), {})

    yield "registers a file and its imports", registers
    yield "registers nothing twice", registers_once
    yield "reads with the writer's schema", lambda: read("orders", written["orders"], {})
    yield "reads with the latest schema", lambda: read("orders", written["orders"], {"use.latest.version": True})
    yield "writes with the latest schema", lambda: expect(write("orders", LATEST), written["orders"])
    yield "looks its own schema up", lambda: expect(write("orders", LOOK_UP), written["orders"])
    yield "finds the printed text", lambda: expect(
        client().lookup_schema("orders-value", client().get_latest_version("orders-value").schema).version, 1)
    yield "gets the descriptor back", serializes_what_it_was_given
    yield "writes and reads with source", reads_source


def problem(attempt) -> str | None:
    try:
        attempt()
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main(reseal: str):
    with Sandbox(reseal, {}) as sandbox:
        for name, attempt in cases(sandbox.registry):
            print(json.dumps({"case": name, "problem": problem(attempt)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
