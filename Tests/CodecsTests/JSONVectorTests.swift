import Codecs
import Foundation
import JSON
import TestSupport
import Testing

/// One case of the vector files in the format JSON, as far as this module is concerned: schemas, rules and texts.
struct JSONVectorCase: Sendable, CustomTestStringConvertible {
  let value: JSONValue
  var testDescription: String { value["name"]?.string ?? "" }

  static let all = ["e2e-json.json", "e2e-java.json"].flatMap { file in
    Fixtures.cases(in: "vectors/\(file)") { $0["format"] == "JSON" ? [JSONVectorCase(value: $0)] : [] }
  }

  /// The newest schema of the subject.
  private var schema: JSONValue? {
    value["registry"]?["schemas"]?.array?.filter { $0["subject"] == value["subject"] }
      .max { ($0["version"]?.integer ?? 0) < ($1["version"]?.integer ?? 0) }
  }

  private func rules(sealing: Bool) throws -> TagRules {
    var external: [TagRules.ExternalTags] = []
    for (pattern, tags) in schema?["metadata"]?["tags"]?.object ?? [:] {
      external.append(
        .init(pattern: try TagPattern(pattern), tags: Set(tags.array?.compactMap(\.string) ?? [])))
    }
    let rules = schema?["ruleSet"]?["domainRules"]?.array ?? []
    return TagRules(
      selectors: rules.map { .init(tags: $0["tags"]?.array?.compactMap(\.string) ?? []) }, external: external,
      containerTagsReachChildren: value["madeBy"] != nil)
  }

  func plan() throws -> FieldPlan {
    let references = try schema?["references"]?.array?.map { reference in
      let name = try #require(reference["name"]?.string)
      let schema = value["registry"]?["schemas"]?.array?.first { $0["subject"] == reference["subject"] }
      return ReferencedSchema(name: name, text: try #require(schema?["schema"]?.string))
    }
    let schema = try JSONSchema(
      parsing: try #require(schema?["schema"]?.string), references: references ?? [])
    return try FieldPlan(
      json: JSONTagView(schema: schema, rules: rules(sealing: false)),
      sink: JSONTagView(schema: schema, rules: rules(sealing: true)))
  }

  /// The texts of a message, without their frames.
  func body(_ message: JSONValue, _ key: String) -> [UInt8]? {
    guard let text = message[key]?.string, let data = Data(base64Encoded: text) else { return nil }
    return Array(data.dropFirst(value["framing"] == "header" ? 0 : 5))
  }

  var messages: [JSONValue] { value["messages"]?.array ?? [] }
  var hasFieldRules: Bool { schema?["ruleSet"]?["domainRules"]?.array?.isEmpty == false }
  var isPayloadSealed: Bool { schema?["ruleSet"]?["encodingRules"]?.array?.isEmpty == false }
}

/// Texts of the genuine clients: what they seal is what a plan hits.
struct JSONVectorTests {
  static let written = JSONVectorCase.all.filter {
    $0.value["expectWrite"] == "ok" && $0.hasFieldRules && !$0.isPayloadSealed
  }

  /// Cases where it is not, and why.
  static let differing = [
    "java-json-external-tags-plain-path": "array paths without index match too, as in Python"
  ]

  @Test func theFilesAreRead() { #expect(JSONVectorCase.all.count == 42 && Self.written.count > 30) }

  @Test(arguments: written)
  func hitsWhatTheGenuineClientsSeal(_ vector: JSONVectorCase) throws {
    let plan = try vector.plan()
    #expect(plan.fields.allSatisfy { $0.opening == $0.sealing })
    for message in vector.messages {
      let plain = try #require(vector.body(message, "plainWire"))
      let wire = try #require(vector.body(message, "wire"))
      let blank = MappingTransform { _ in Array("*".utf8) }
      let blankedPlain = try JSONValue(parsing: rewrite(plain, with: plan, blank) ?? plain)
      let hits = blank.seen.count
      let blankedWire = try JSONValue(parsing: rewrite(wire, with: plan, blank) ?? wire)
      #expect(blankedPlain.withoutNulls == blankedWire.withoutNulls, "what was not hit is as it was")
      #expect(blank.seen.count == hits * 2)
      let unsealed = blank.seen.prefix(hits).filter { plain in
        blank.seen.dropFirst(hits).contains { $0 == plain }
      }
      #expect(
        unsealed.isEmpty == (Self.differing[vector.testDescription] == nil), "what was hit had been sealed")
    }
  }

  @Test(arguments: JSONVectorCase.all.filter { $0.value["expectWrite"] == "error" })
  func meetsWhatCannotBeSealed(_ vector: JSONVectorCase) throws {
    // The Python client also refuses what its validation, after the rules, finds too long.
    guard vector.testDescription != "json-validation-after-encryption-error" else { return }
    let plan = try vector.plan()
    for message in vector.messages {
      let record = try #require(message["record"]).serialized()
      let transform = MappingTransform { $0 }
      transform.stopsAtUnsupported = true
      #expect(throws: RecordError.self) { try rewrite(Array(record.utf8), with: plan, transform) }
    }
  }
}

extension JSONValue {
  /// Without members that are null: the JVM client adds them.
  fileprivate var withoutNulls: JSONValue {
    switch self {
    case .array(let elements): return .array(elements.map(\.withoutNulls))
    case .object(let members):
      var kept = JSONObject()
      for (name, value) in members.sortedByName() where !value.isNull { kept[name] = value.withoutNulls }
      return .object(kept)
    default: return self
    }
  }
}
