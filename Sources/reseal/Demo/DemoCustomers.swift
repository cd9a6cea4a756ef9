import Codecs
import Foundation
import JSON

/// Customers that never lived, in a shape that real ones have: nested and repeated personal data among much that
/// is nobody's secret. The same every time.
struct DemoCustomers {
  static let schemaText = """
    {"type":"record","name":"Customer","namespace":"com.example.crm","fields":[
      {"name":"id","type":"long"},
      {"name":"name","type":"string","confluent:tags":["PII"]},
      {"name":"ssn","type":["null","string"],"default":null,"confluent:tags":["PII"]},
      {"name":"email","type":"string","confluent:tags":["PII"]},
      {"name":"phones","type":{"type":"array","items":"string"},"confluent:tags":["PII"]},
      {"name":"addresses","type":{"type":"array","items":{"type":"record","name":"Address","fields":[
        {"name":"kind","type":{"type":"enum","name":"AddressKind","symbols":["HOME","WORK"]}},
        {"name":"street","type":"string","confluent:tags":["PII"]},
        {"name":"city","type":"string"},
        {"name":"postcode","type":"string"}]}}},
      {"name":"passportScan","type":["null","bytes"],"default":null,"confluent:tags":["PII"]},
      {"name":"plan","type":"string"},
      {"name":"balance","type":"double"},
      {"name":"since","type":{"type":"long","logicalType":"timestamp-millis"}},
      {"name":"preferences","type":{"type":"map","values":"string"}}]}
    """

  /// What a pipeline needs to know to seal the fields tagged `PII`.
  static let kekName = "demo-customers"
  static let kmsKeyID = "demo"

  let schema: AvroSchema

  init() throws { schema = try AvroSchema(parsing: Self.schemaText) }

  /// The Avro body of customer number `index`.
  func body(_ index: Int) throws -> [UInt8] { try AvroJSONEncoder.body(Self.document(index), schema: schema) }

  func document(of body: [UInt8]) throws -> JSONValue {
    try body.withUnsafeBytes { try AvroJSONDecoder.document($0, schema: schema) }
  }

  private static func document(_ index: Int) -> JSONValue {
    let first = pick(["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Ken"], index)
    let last = pick(
      ["Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Thompson"], index / 8)
    let number = 1_000 + index * 7_919 % 9_000
    var addresses = [address("HOME", index)]
    if index.isMultiple(of: 3) { addresses.append(address("WORK", index + 5)) }
    let document: JSONObject = [
      "id": JSONValue(100_000 + index), "name": .string("\(first) \(last)"),
      "ssn": index % 5 == 4 ? .null : .string("\(100 + index % 800)-\(10 + index % 90)-\(number)"),
      "email": .string("\(first).\(last).\(index)@example.com".lowercased()),
      "phones": .array((0...index % 3).map { .string("+1 202 555 \(1_000 + (number + $0) % 9_000)") }),
      "addresses": .array(addresses),
      "passportScan": index % 10 == 0 ? .string(Data("scan \(index)".utf8).base64EncodedString()) : .null,
      "plan": .string(pick(["basic", "plus", "premium"], index)),
      "balance": .number("\(Double(index * 37 % 100_000) / 100)"),
      "since": JSONValue(1_500_000_000_000 + index * 86_400_000),
      "preferences": [
        "language": .string(pick(["en", "fr", "ja"], index)),
        "newsletter": .string(pick(["yes", "no"], index)),
      ],
    ]
    return .object(document)
  }

  private static func address(_ kind: String, _ index: Int) -> JSONValue {
    [
      "kind": .string(kind),
      "street": .string("\(1 + index % 199) \(pick(["Elm Street", "Navy Yard", "Bletchley Park"], index))"),
      "city": .string(pick(["Oxford", "Arlington", "Nuenen"], index)),
      "postcode": .string("\(10_000 + index % 90_000)"),
    ]
  }

  private static func pick(_ words: [String], _ index: Int) -> String { words[index % words.count] }
}
