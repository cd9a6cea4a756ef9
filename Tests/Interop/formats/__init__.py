"""What the three formats have of their own: schemas, records, and the genuine serializers.

Each module offers
- `type_name`, `schema(record_name, tagged)` and `tags(record_name)`, patterns for metadata.tags;
- `records(record_name)`, and `comparable(value)`: a record that was read, fit to be compared with one of them;
- `serializer` and `deserializer`, which take a registry client, the schema's text, the record's name, the client's
  configuration and its rule configuration;
- `canonical(record_name, body)`: the same for bodies that differ only as any serializer may make them differ;
- `second(record_name, record)`: another encoder.
"""

from . import avro, json_schema, protobuf

ALL = {"avro": avro, "json": json_schema, "protobuf": protobuf}
