"""What the three formats have of their own: schemas, records, and the genuine serializers.

Each module offers `schema(record_name, tagged)`, `tags(record_name)` (patterns for metadata.tags), `records(record_name)`,
`type_name`, and `serializer` and `deserializer`, which take a registry client, the schema's text, the record's name, the
client's configuration and its rule configuration. `second(schema, record)` writes a record's body another way.
"""

from . import avro

ALL = {"avro": avro}
