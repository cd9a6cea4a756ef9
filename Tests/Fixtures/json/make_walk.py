"""Walks random documents with the Python client's own JSON Schema walk and notes which leaves it hands to a rule.

Made walk.json: python make_walk.py 250 > walk.json, with confluent-kafka[json,rules]==2.16.0.
Members of different branches of an allOf have different names, because this client seals a leaf once for each branch.
"""

import json
import random
import sys

import confluent_kafka.schema_registry.common.json_schema as client
import jsonschema
from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode
from confluent_kafka.schema_registry.common.serde import RuleContext
from referencing import Registry, Resource

chance = random.Random(20260101)
texts = 0

LEAVES = [
    {"type": "string"},
    {"type": "string", "minLength": 1},
    {"type": ["string", "null"]},
    {"oneOf": [{"type": "null"}, {"type": "string"}]},
    {"anyOf": [{"type": "string", "maxLength": 40}, {"type": "null"}]},
    {"$ref": "#/definitions/text"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "array", "items": {"type": ["null", "string"]}},
    {"type": "array", "items": {"$ref": "#/definitions/text"}},
]
OTHERS = [
    {"type": "integer"},
    {"type": "boolean"},
    {"type": "null"},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {},
    {"enum": ["a", "b"]},
    {"type": "array", "items": {"type": "integer"}},
]


# Schemas


def tagged(schema):
    return {**schema, "confluent:tags": ["PII"]} if chance.random() < 0.45 else schema


def reference():
    return {"$ref": "#/definitions/" + chance.choice(["person", "node", "union"])}


def property_schema(depth):
    kind = chance.random()
    if kind < 0.5 or depth > 3:
        return tagged(chance.choice(LEAVES))
    if kind < 0.6:
        return chance.choice(OTHERS)
    if kind < 0.7:
        return reference()
    if kind < 0.8:
        return {"type": "array", "items": schema(depth + 1)}
    return schema(depth + 1)


def object_schema(depth, names="abcdefg"):
    chosen = chance.sample(names, chance.randint(1, min(3, len(names))))
    return {"type": "object", "properties": {name: property_schema(depth) for name in chosen}}


def union(depth, names="abcdefg"):
    branches = []
    for number in range(chance.randint(2, 3)):
        branch = object_schema(depth, names)
        branch["properties"]["kind"] = {"const": f"k{number}"}
        branches.append({**branch, "required": ["kind"]})
    if chance.random() < 0.4:
        branches.append({"type": "null"})
    if chance.random() < 0.3:
        branches.append({"type": "array", "items": schema(depth + 1)})
    chance.shuffle(branches)
    return {chance.choice(["oneOf", "anyOf"]): branches}


def combination(depth):
    parts = [object_schema(depth, "abc")]
    if chance.random() < 0.5:
        parts.append(object_schema(depth, "de") if chance.random() < 0.7 else union(depth, "de"))
    beside = object_schema(depth, "fg")["properties"] if chance.random() < 0.4 else None
    return {"allOf": parts, "properties": beside} if beside else {"allOf": parts}


def schema(depth):
    kind = chance.random()
    if depth > 3 or kind < 0.55:
        return object_schema(depth)
    if kind < 0.75:
        return union(depth)
    return combination(depth) if kind < 0.9 else reference()


def root_schema():
    root = schema(0)
    root["definitions"] = {
        "text": {"type": "string"},
        "person": object_schema(2),
        "union": union(2),
        "node": {
            "type": "object",
            "properties": {"name": tagged({"type": "string"}), "next": {"$ref": "#/definitions/node"}},
        },
    }
    return root


# Documents


def text():
    global texts
    texts += 1
    return f"v{texts}"


def value(schema, root, depth=0):
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if "allOf" in schema:
        merged = {}
        for part in schema["allOf"]:
            made = value(part, root, depth + 1)
            merged.update(made if isinstance(made, dict) else {})
        return {**merged, **members(schema, root, depth)}
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            ends = [branch for branch in schema[keyword] if branch.get("type") == "null"] if depth > 7 else []
            return value(chance.choice(ends or schema[keyword]), root, depth + 1)
    if "$ref" in schema:
        return value(root["definitions"][schema["$ref"].split("/")[-1]], root, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = chance.choice(kind)
    if kind == "array":
        return [value(schema["items"], root, depth + 1) for _ in range(chance.randint(0, 2) if depth < 8 else 0)]
    if kind == "object":
        return members(schema, root, depth) if "properties" in schema else {"x": text()}
    simple = {"string": text, "integer": lambda: 7, "boolean": lambda: True, "null": lambda: None}
    return simple[kind]() if kind else chance.choice([text(), {"a": text()}, 3])


def members(schema, root, depth):
    made = {}
    for name, part in schema.get("properties", {}).items():
        if name == "kind" or (depth < 8 and chance.random() < 0.75):
            made[name] = value(part, root, depth + 1)
    return made


def walk(root, document):
    """The leaves that are handed to the rule, in order."""
    leaves = []

    def transform(_, __, leaf):
        leaves.append(leaf)
        return leaf

    rule = Rule("r", "", RuleKind.TRANSFORM, RuleMode.WRITE, "ENCRYPT", {"PII"}, None, None, None, None, False)
    context = RuleContext(None, None, None, None, "s", RuleMode.WRITE, rule, 0, [rule], None, None)
    resource = Resource.from_contents(root, default_specification=client.DEFAULT_SPEC)
    registry = Registry()
    resolver = registry.resolver_with_root(resource)
    client.transform(context, root, registry, resolver, "$", json.loads(json.dumps(document)), transform)
    return leaves


def case():
    root = root_schema()
    documents = []
    for document in [value(root, root) for _ in range(3)]:
        if not jsonschema.Draft7Validator(root).is_valid(document):
            continue
        try:
            documents.append({"document": document, "sealed": walk(root, document)})
        except Exception as error:  # This client cannot follow a local reference inside a branch.
            print("left out:", type(error).__name__, file=sys.stderr)
    return {"schema": root, "documents": documents} if documents else None


if __name__ == "__main__":
    cases = []
    while len(cases) < int(sys.argv[1]):
        made = case()
        cases += [made] if made else []
    lines = ",\n".join(json.dumps(made, separators=(",", ":"), ensure_ascii=False) for made in cases)
    print('{"format":"json-walk","madeBy":"confluent-kafka 2.16.0","cases":[\n' + lines + "\n]}")
