import Codecs

/// Any schema's text; those that can be read are compiled, and a body of nothing is walked.
func fuzzAvroSchema(_ input: UnsafeRawBufferPointer) {
  let text = String(decoding: input, as: UTF8.self)
  guard let plan = avroPlan(text) else { return }
  rewrite(UnsafeRawBufferPointer(start: nil, count: 0), plan)
}

/// Any body under one of a few schemas.
func fuzzAvroBody(_ input: UnsafeRawBufferPointer) {
  rewrite(input, withOneOf: avroPlans)
}

private let avroPlans = avroSchemas.compactMap(avroPlan)

/// Between them every type, recursion, and containers of things that take no bytes.
private let avroSchemas = [
  """
  {"type":"record","name":"Customer","fields":[
    {"name":"id","type":"long"},{"name":"ssn","type":"string","confluent:tags":["PII"]},
    {"name":"photo","type":"bytes","confluent:tags":["PII"]},
    {"name":"nickname","type":["null","string"],"confluent:tags":["PII"]},
    {"name":"phones","type":{"type":"array","items":"string"},"confluent:tags":["PII"]},
    {"name":"notes","type":{"type":"map","values":["null","bytes","string"]},"confluent:tags":["PII"]},
    {"name":"home","type":["null",{"type":"record","name":"Address","fields":[
      {"name":"street","type":"string","confluent:tags":["PII"]},{"name":"city","type":"string"}]}]},
    {"name":"former","type":{"type":"array","items":"Address"}},
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
    {"name":"hash","type":{"type":"fixed","name":"Hash","size":16}},
    {"name":"flag","type":"boolean"},{"name":"ratio","type":"float"},{"name":"score","type":"double"}]}
  """,
  """
  {"type":"record","name":"Node","fields":[{"name":"text","type":"string","confluent:tags":["PII"]},
    {"name":"next","type":["null","Node"]},{"name":"all","type":{"type":"array","items":"Node"}},
    {"name":"named","type":{"type":"map","values":"Node"}}]}
  """,
  """
  {"type":"record","name":"Nothing","fields":[{"name":"nulls","type":{"type":"array","items":"null"}},
    {"name":"empties","type":{"type":"array","items":{"type":"record","name":"Empty","fields":[]}}},
    {"name":"text","type":"string","confluent:tags":["PII"]}]}
  """,
]

private func avroPlan(_ text: String) -> FieldPlan? {
  do {
    let schema = try AvroSchema(parsing: text)
    let view = AvroTagView(schema: schema, rules: personal)
    return try FieldPlan(avro: view, sink: view)
  } catch {
    precondition(!"\(error)".isEmpty)
    return nil
  }
}
