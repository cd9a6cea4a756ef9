"""The table of what Reseal and the genuine client must understand of each other.

One `Exchange` is two cases: what Reseal sealed is read by the client, and what the client sealed is opened by
Reseal, in one topic, under one KEK and DEK. Everything else in this folder is generated from this table.
"""

from dataclasses import dataclass, replace
from itertools import product

ALGORITHMS = ("AES128_GCM", "AES256_GCM", "AES256_SIV")
FORMATS = ("avro", "json", "protobuf")


@dataclass(frozen=True)
class Exchange:
    format: str
    algorithm: str = "AES256_GCM"
    # Whether the rule has encrypt.dek.expiry.days, so that ciphertexts name their DEK's version.
    versions: bool = False
    # Who seals first, and so creates KEK and DEK: "reseal" or "client".
    keys: str = "reseal"
    # What of a Kafka record is processed: its "value", or its "key" as well.
    part: str = "value"
    # Where the tags are: "inline" in the schema or "external" in metadata.tags.
    tags: str = "inline"
    # Where schema and DEK are: under the "topic" or the "record" name.
    subject: str = "topic"
    # What the rules seal: tagged "fields", the whole "payload", or "both", one around the other.
    rules: str = "fields"
    # Where the schema's reference travels: in the value's "prefix" or in a "header", as a GUID.
    frame: str = "prefix"
    # Who writes what Reseal seals: the "client", or a "second" encoder with spellings that are odd but legal.
    encoder: str = "client"

    @property
    def name(self) -> str:
        """Unique; fit for a topic, a job and a KEK."""
        parts = [self.format, self.algorithm.lower(), "versions" if self.versions else "", f"{self.keys}-keys"]
        parts += [
            "" if value == default else f"{value}-{word}"
            for value, default, word in (
                (self.part, "value", "part"), (self.tags, "inline", "tags"), (self.subject, "topic", "subject"), (self.rules, "fields", "rules"),
                (self.frame, "prefix", "frame"), (self.encoder, "client", "encoder"))
        ]
        return "-".join(part for part in parts if part).replace("_", "-")

    @property
    def record_name(self) -> str:
        return "interop." + "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def topic(self) -> str:
        return f"{self.name}.sealed"

    @property
    def plain_topic(self) -> str:
        return f"{self.name}.plain"

    @property
    def opened_topic(self) -> str:
        return f"{self.name}.opened"

    @property
    def parts(self) -> list[str]:
        return ["value"] if self.part == "value" else ["key", "value"]

    def subject_of(self, topic: str, part: str) -> str:
        is_record = self.subject == "record" and topic == self.topic
        return self.record_name if is_record else f"{topic}-{part}"


def table() -> list[Exchange]:
    keys_of_either = [
        Exchange(format, algorithm, versions, keys)
        for format, algorithm, versions, keys in product(FORMATS, ALGORITHMS, (False, True), ("reseal", "client"))
    ]
    turned = [
        replace(Exchange(format), **change)
        for format in FORMATS
        for change in (
            {"tags": "external"},
            {"subject": "record", "keys": "client"},
            {"frame": "header"},
            {"rules": "payload"},
            {"rules": "both", "keys": "client", "versions": True},
            {"encoder": "second"},
            {"part": "key", "algorithm": "AES256_SIV"},
            {"part": "key", "keys": "client", "frame": "header", "versions": True},
            {"tags": "external", "subject": "record", "frame": "header", "versions": True},
        )
    ]
    return keys_of_either + turned
