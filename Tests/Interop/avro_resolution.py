"""Makes the Avro resolutions that Reseal is compared with, by fastavro:

    python avro_resolution.py > ../Fixtures/avro-resolution.json

A writer's schema and values are made at random, and a reader's schema by changing the writer's the way schemas are
changed: fields come, go, move and are renamed, types are promoted, put into unions and taken out of them, enums and
unions change their members. Bodies are hex. A body whose "expected" is null cannot be resolved.

Not made is what fastavro cannot say or does otherwise than the JVM client: a union has types that Python values tell
apart, none of which can be promoted to another, and bytes and fixed have no defaults (fastavro takes their text for
the value).
"""

import io
import json
import random

import fastavro
from fastavro.read import SchemaResolutionError

PAIRS = 300
BODIES = 4
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
NUMBERS = ["int", "long", "float", "double"]
PROMOTIONS = {
    "int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"],
    "string": ["bytes"], "bytes": ["string"],
}


class Schema:
    """A type is a primitive's name, ("array", type), ("map", type), ("union", types) or ("named", name)."""

    def __init__(self):
        self.named = {}
        self.root = None

    def text(self):
        """JSON; a named type is spelled out where it is first used."""
        known = set()

        def spell(kind):
            if isinstance(kind, str):
                return kind
            tag, inner = kind
            if tag == "array":
                return {"type": "array", "items": spell(inner)}
            if tag == "map":
                return {"type": "map", "values": spell(inner)}
            if tag == "union":
                return [spell(branch) for branch in inner]
            if inner in known:
                return inner
            known.add(inner)
            definition = dict(self.named[inner])
            if definition["type"] == "record":
                definition["fields"] = [dict(field, type=spell(field["type"])) for field in definition["fields"]]
            return definition

        return spell(self.root)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def name(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def full_name(self, prefix):
        return self.random.choice(["a.", "b.c."]) + self.name(prefix)

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    # A writer's schema

    def writer(self):
        schema = Schema()
        schema.root = self.record(schema, 0, []) if not self.chance(12) else self.type(schema, 0, [])
        if schema.root == "bytes":
            schema.root = "string"
        return schema

    def record(self, schema, depth, around):
        name = self.full_name("R")
        schema.named[name] = definition = {"type": "record", "name": name, "fields": []}
        for _ in range(self.random.randint(1 if depth == 0 else 0, 5)):
            definition["fields"].append(
                {"name": self.name("f"), "type": self.type(schema, depth + 1, around + [name])})
        return ("named", name)

    def type(self, schema, depth, around, in_union=False):
        choice = self.random.randrange(12 if depth < 4 else 6)
        if choice < 4:
            return self.random.choice(PRIMITIVES[1 if in_union else 0:])
        if choice == 4:
            name = self.full_name("F")
            schema.named[name] = {"type": "fixed", "name": name, "size": self.random.randint(0, 6)}
            return ("named", name)
        if choice == 5:
            name = self.full_name("E")
            symbols = [self.name("S") for _ in range(self.random.randint(1, 5))]
            schema.named[name] = {"type": "enum", "name": name, "symbols": symbols}
            return ("named", name)
        if choice in (6, 7):
            return (self.random.choice(["array", "map"]), self.type(schema, depth + 1, around))
        if choice in (8, 9) and not in_union:
            return self.union(schema, depth, around)
        return self.record(schema, depth, around)

    def union(self, schema, depth, around):
        branches = ["null"] if not self.chance(4) else []
        if around and branches and self.chance(3):
            branches.append(("named", self.random.choice(around)))
        for _ in range(self.random.randint(1, 3)):
            branch = self.type(schema, depth + 1, around, in_union=True)
            branches.append(branch)
        branches = distinct(schema, branches)
        self.random.shuffle(branches)
        return ("union", branches)

    # A reader's schema

    def reader(self, writer):
        schema = Schema()
        names = {}
        for name in writer.named:
            names[name] = name
            if self.chance(6):
                names[name] = self.full_name("N")
            elif self.chance(8):
                names[name] = "other." + name.split(".")[-1]
        # What a union may hold depends on the kinds of its types, whatever becomes of them.
        schema.named = {names[name]: definition for name, definition in writer.named.items()}
        for name, definition in writer.named.items():
            schema.named[names[name]] = self.changed(schema, dict(definition), names)
        schema.root = self.changed_type(schema, writer.root, names)
        if schema.root == "bytes":
            schema.root = "string" if writer.root == "string" else schema.root
        return schema

    def changed(self, schema, definition, names):
        old = definition["name"]
        definition["name"] = names[old]
        if old.split(".")[-1] != names[old].split(".")[-1]:
            definition["aliases"] = [old]
        if definition["type"] == "enum":
            symbols = list(definition["symbols"])
            if self.chance(3):
                self.random.shuffle(symbols)
            if self.chance(3):
                symbols.insert(self.random.randint(0, len(symbols)), self.name("S"))
            if self.chance(3) and len(symbols) > 1:
                symbols.pop(self.random.randrange(len(symbols)))
                if not self.chance(3):
                    definition["default"] = self.random.choice(symbols)
            definition["symbols"] = symbols
        if definition["type"] == "record":
            fields = []
            for field in definition["fields"]:
                if self.chance(8):
                    continue
                field = {"name": field["name"], "type": self.changed_type(schema, field["type"], names)}
                if self.chance(8):
                    field["aliases"] = [self.name("x"), field["name"]]
                    field["name"] = self.name("g")
                fields.append(field)
            for _ in range(self.random.choice([0, 0, 1, 2])):
                kind, default = self.addition(schema)
                fields.insert(
                    self.random.randint(0, len(fields)), {"name": self.name("n"), "type": kind, "default": default})
            if self.chance(3):
                self.random.shuffle(fields)
            definition["fields"] = fields
        return definition

    def changed_type(self, schema, kind, names, in_union=False):
        if isinstance(kind, str):
            kind = self.random.choice(PROMOTIONS[kind]) if kind in PROMOTIONS and self.chance(4) else kind
        elif kind[0] == "named":
            kind = ("named", names[kind[1]])
        elif kind[0] == "union":
            branches = [self.changed_type(schema, branch, names, in_union=True) for branch in kind[1]]
            branches = distinct(schema, branches)
            if self.chance(3):
                self.random.shuffle(branches)
            if self.chance(6) and len(branches) > 1:
                branches.pop()
            if self.chance(8):
                return branches[0]
            return ("union", branches)
        else:
            kind = (kind[0], self.changed_type(schema, kind[1], names))
        if in_union or not self.chance(5):
            return kind
        others = [other for other in ["null", "string", "boolean"] if other != kind]
        branches = distinct(schema, [kind, *self.random.sample(others, self.random.randint(1, 2))])
        self.random.shuffle(branches)
        return ("union", branches)

    def addition(self, schema):
        name = self.full_name("D")
        schema.named[name] = {
            "type": "record", "name": name,
            "fields": [{"name": "p", "type": "int"}, {"name": "q", "type": "string", "default": "naïve \u2713"}]}
        symbols = self.full_name("S")
        schema.named[symbols] = {"type": "enum", "name": symbols, "symbols": ["U", "V"]}
        return self.random.choice([
            ("null", None), ("boolean", True), ("int", -70000), ("long", 2 ** 53 + 1), ("float", -1.5), ("double", 1e300),
            ("string", ""), ("string", "added"), (("array", "int"), [1, 2, 300]), (("array", "string"), []),
            (("map", "long"), {"k": 7}), (("union", ["null", "string"]), None), (("union", ["string", "null"]), "first"),
            (("named", symbols), "V"), (("named", name), {"p": 5}), (("array", ("named", name)), [{"p": 1, "q": "r"}]),
        ])

    # Values

    def value(self, schema, kind, depth=0):
        if isinstance(kind, str):
            return self.primitive(kind)
        tag, inner = kind
        if tag == "array":
            return [self.value(schema, inner, depth + 1) for _ in range(self.size(depth))]
        if tag == "map":
            return {self.text(): self.value(schema, inner, depth + 1) for _ in range(self.size(depth))}
        if tag == "union":
            branch = self.random.choice(inner)
            if depth > 8:
                branch = "null" if "null" in inner else inner[0]
            name = branch if isinstance(branch, str) else branch[0] if branch[0] != "named" else branch[1]
            return (name, self.value(schema, branch, depth + 1))
        definition = schema.named[inner]
        if definition["type"] == "fixed":
            return self.random.randbytes(definition["size"])
        if definition["type"] == "enum":
            return self.random.choice(definition["symbols"])
        return {field["name"]: self.value(schema, field["type"], depth + 1) for field in definition["fields"]}

    def size(self, depth):
        return self.random.randint(0, 3) if depth < 8 else 0

    def text(self):
        return self.random.choice(["", "a", "naïve", "日本語", "😀", "long " * 15, "k"])

    def primitive(self, kind):
        if kind == "null":
            return None
        if kind == "boolean":
            return self.chance(2)
        if kind == "int":
            return self.random.choice([0, -1, 63, -64, 64, 2 ** 31 - 1, -(2 ** 31), self.random.randint(-10 ** 6, 10 ** 6)])
        if kind == "long":
            return self.random.choice([0, -1, 2 ** 63 - 1, -(2 ** 63), 2 ** 53 + 1, self.random.randint(-2 ** 40, 2 ** 40)])
        if kind == "float":
            return self.random.choice([0.0, -0.0, 1.5, 3.4028234663852886e38, float("inf"), 2.0 ** -149])
        if kind == "double":
            return self.random.choice([0.0, 0.1, -1e308, float("-inf"), self.random.random()])
        if kind == "string":
            return self.text()
        return self.random.choice([self.text().encode(), b"", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80"])


def distinct(schema, branches):
    """Those branches that a value of fastavro's says it is of, and that are promoted to none of the others."""
    known = set()
    kept = []
    for branch in branches:
        kind = branch if isinstance(branch, str) else branch[0] if branch[0] != "named" else schema.named[branch[1]]["type"]
        likenesses = {
            **dict.fromkeys(NUMBERS, {"number"}), "string": {"str", "promoted"}, "enum": {"str"},
            "bytes": {"bytes", "promoted"}, "fixed": {"bytes"}, "array": {"bytes"}, "map": {"dict"}, "record": {"dict"},
        }.get(kind, {kind})
        if not known & likenesses:
            known |= likenesses
            kept.append(branch)
    return kept


def written(schema, value):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, value)
    return stream.getvalue()


def resolved(writer, reader, body):
    try:
        value = fastavro.schemaless_reader(io.BytesIO(body), writer, reader)
    except (SchemaResolutionError, UnicodeDecodeError):
        return None
    return written(reader, value)


def is_endless(schema):
    """Whether a record contains itself with no way out, so that it has no values."""
    def walk(kind, around):
        if isinstance(kind, str) or kind[0] in ("array", "map"):
            return False
        if kind[0] == "union":
            return all(walk(branch, around) for branch in kind[1])
        if kind[1] in around:
            return True
        return any(walk(field["type"], around | {kind[1]}) for field in schema.named[kind[1]].get("fields", []))
    return any(walk(("named", name), set()) for name in schema.named)


def main():
    cases = []
    seed = 0
    while len(cases) < PAIRS:
        seed += 1
        maker = Maker(seed)
        writer = maker.writer()
        reader = maker.reader(writer)
        writer_text, reader_text = writer.text(), reader.text()
        if is_endless(writer) or is_endless(reader) or len(json.dumps([writer_text, reader_text])) > 3000:
            continue
        parsed = [fastavro.parse_schema(json.loads(json.dumps(text))) for text in (writer_text, reader_text)]
        bodies = []
        for _ in range(BODIES):
            body = written(parsed[0], maker.value(writer, writer.root))
            if len(body) > 400:
                continue
            expected = resolved(*parsed, body)
            bodies.append({"body": body.hex(), "expected": expected if expected is None else expected.hex()})
        if bodies:
            cases.append({
                "name": f"seed {seed}", "writer": json.dumps(writer_text, separators=(",", ":"), ensure_ascii=False),
                "reader": json.dumps(reader_text, separators=(",", ":"), ensure_ascii=False), "bodies": bodies})
    print('{"cases":[')
    print(",\n".join(json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in cases))
    print("]}")


main()
