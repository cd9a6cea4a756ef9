import Codecs

/// Any schema's text; with those that can be read an object is walked.
func fuzzJSONSchema(_ input: UnsafeRawBufferPointer) {
  guard let plan = jsonPlan(String(decoding: input, as: UTF8.self)) else { return }
  Array(#"{"a":{"b":["c",1,null]},"a":"d"}"#.utf8).withUnsafeBytes { rewrite($0, plan) }
}

/// Any text under one of a few schemas.
func fuzzJSONBody(_ input: UnsafeRawBufferPointer) { rewrite(input, withOneOf: jsonPlans) }

private let jsonPlans = jsonSchemas.compactMap(jsonPlan)

/// Between them nesting, recursion, and alternatives that have to be told apart.
private let jsonSchemas = [
  #"""
  {"type":"object","properties":{"id":{"type":"integer"},"a":{"type":"string","confluent:tags":["PII"]},
    "n":{"type":["null","string"],"confluent:tags":["PII"]},"o":{"oneOf":[{"type":"null"},{"type":"string"}],"confluent:tags":["PII"]},
    "l":{"type":"array","items":{"type":"string"},"confluent:tags":["PII"]},"h":{"$ref":"#/definitions/H"},
    "f":{"type":"array","items":{"$ref":"#/definitions/H"}}},
    "definitions":{"H":{"type":"object","properties":{"s":{"type":"string","confluent:tags":["PII"]},"c":{"type":"string"}}}}}
  """#,
  #"""
  {"type":"object","properties":{"s":{"type":"string","confluent:tags":["PII"]},"next":{"$ref":"#"},
    "all":{"type":"array","items":{"$ref":"#"}}}}
  """#,
  #"""
  {"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"s":{"type":"string","confluent:tags":["PII"]}},"required":["k"]},
    {"type":"object","properties":{"k":{"const":"b"},"s":{"type":"string","maxLength":3}},"required":["k"]}]}
  """#,
]

private func jsonPlan(_ text: String) -> FieldPlan? {
  do {
    let view = JSONTagView(schema: try JSONSchema(parsing: text), rules: personal)
    return try FieldPlan(json: view, sink: view)
  } catch {
    precondition(!"\(error)".isEmpty)
    return nil
  }
}
