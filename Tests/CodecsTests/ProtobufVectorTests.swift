import Foundation
import JSON
import TestSupport
import Testing

@testable import Codecs

/// A whole message of a genuine client (`vectors/e2e-*.json`), as far as the walk over it goes: keys play no part.
struct ProtobufVector: CustomTestStringConvertible, Sendable {
  struct Message: Sendable {
    let plain: [UInt8]
    let sealed: [UInt8]
  }

  let name: String
  let isJava: Bool
  let expectWrite: String
  let messageType: String
  let indexes: [Int32]
  /// The registered schema in both forms that a registry returns.
  let forms: [String]
  let references: [ReferencedSchema]
  let rules: TagRules
  /// Whether fields are sealed and bodies are not, so that the walk sees both messages.
  let runsRules: Bool
  let messages: [Message]

  var testDescription: String { name }

  static let all = ["e2e-protobuf.json", "e2e-java.json"].flatMap { file in
    Fixtures.cases(in: "vectors/\(file)") { $0["format"] == "PROTOBUF" ? [try ProtobufVector($0)] : [] }
  }

  private init(_ value: JSONValue) throws {
    name = try #require(value["name"]?.string)
    isJava = value["madeBy"]?.string?.hasPrefix("java") ?? false
    expectWrite = try #require(value["expectWrite"]?.string)
    messageType = try #require(value["messageType"]?.string)
    indexes = try #require(value["messageIndexes"]?.array).map { Int32(try #require($0.integer)) }
    let schemas = value["registry"]?["schemas"]?.array ?? []
    let subject = value["subject"]?.string
    let schema = try #require(schemas.last { $0["subject"]?.string == subject } ?? schemas.last)
    forms = [try #require(schema["schema"]?.string), try #require(schema["schemaSerialized"]?.string)]
    references = (schema["references"]?.array ?? []).compactMap { reference in
      schemas.first { $0["subject"] == reference["subject"] }?["schema"]?.string.map {
        ReferencedSchema(name: reference["name"]?.string ?? "", text: $0)
      }
    }
    let rules = (schema["ruleSet"]?["domainRules"]?.array ?? []).map {
      TagRules.Selector(tags: ($0["tags"]?.array ?? []).compactMap(\.string))
    }
    var external: [TagRules.ExternalTags] = []
    for (pattern, tags) in schema["metadata"]?["tags"]?.object ?? [:] {
      external.append(
        .init(pattern: try TagPattern(pattern), tags: Set((tags.array ?? []).compactMap(\.string))))
    }
    runsRules = !rules.isEmpty && schema["ruleSet"]?["encodingRules"] == nil
    self.rules = TagRules(selectors: rules, external: external, containerTagsReachChildren: isJava)
    let prefix = value["framing"]?.string == "header" ? 0 : 5
    messages = (value["messages"]?.array ?? []).compactMap { message in
      guard let plain = message["plainWire"]?.string.flatMap({ Data(base64Encoded: $0) }),
        let sealed = message["wire"]?.string.flatMap({ Data(base64Encoded: $0) })
      else { return nil }
      return Message(plain: Array(plain.dropFirst(prefix)), sealed: Array(sealed.dropFirst(prefix)))
    }
    hasPrefix = prefix > 0
  }

  private let hasPrefix: Bool

  /// Takes the message indexes, which stand in front of the body in prefix framing, off a message.
  func body(_ bytes: [UInt8]) throws -> [UInt8] {
    guard hasPrefix else { return bytes }
    let read = try bytes.withUnsafeBytes { try MessageIndexes(readingFrom: $0) }
    #expect(read.path == indexes)
    return Array(bytes.dropFirst(read.count))
  }

  func view(_ form: String) throws -> ProtobufTagView {
    let schema = try ProtobufSchema(parsing: form, references: references)
    return ProtobufTagView(schema: schema, message: try #require(schema.message(at: indexes)), rules: rules)
  }
}

/// Replaces the values it is asked about by those of a list, in order.
private final class ListTransform: FieldTransform {
  private var replacements: [[UInt8]]
  private(set) var seen: [[UInt8]] = []

  init(_ replacements: [[UInt8]]) { self.replacements = replacements.reversed() }

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    seen.append(Array(value))
    guard let replacement = replacements.popLast() else { return false }
    replacement.withUnsafeBytes { output.append($0) }
    return true
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {
    Issue.record("nothing unsupported is tagged in these messages")
  }
}

struct ProtobufVectorTests {
  @Test func theFilesAreRead() {
    #expect(ProtobufVector.all.count == 45)
    #expect(ProtobufVector.all.count { $0.runsRules && $0.expectWrite == "ok" } == 32)
  }

  @Test(arguments: ProtobufVector.all)
  func indexesFollowTheRegistry(_ vector: ProtobufVector) throws {
    for form in vector.forms {
      let schema = try ProtobufSchema(parsing: form, references: vector.references)
      let message = try #require(schema.message(at: vector.indexes))
      #expect(schema[message].fullName == vector.messageType)
      #expect(schema.message(named: vector.messageType) == message)
      #expect(schema.indexes(ofMessage: vector.messageType) == vector.indexes)
    }
  }

  /// Both forms of a schema describe the same fields.
  @Test(arguments: ProtobufVector.all)
  func bothFormsGiveTheSamePlan(_ vector: ProtobufVector) throws {
    let views = try vector.forms.map(vector.view)
    for writer in views {
      let plans = try views.map { try FieldPlan(protobuf: writer, sink: $0).fields }
      #expect(plans[0] == plans[1])
    }
  }

  /// With the fields' values of the other one put in, the plain message is the sealed one, byte by byte, and the
  /// other way round.
  @Test(arguments: ProtobufVector.all.filter { $0.runsRules && $0.expectWrite == "ok" })
  func touchesWhatTheGenuineClientsDo(_ vector: ProtobufVector) throws {
    #expect(!vector.messages.isEmpty)
    for form in vector.forms {
      let view = try vector.view(form)
      let sealing = try FieldPlan(
        protobuf: .init(schema: view.schema, message: view.message, rules: TagRules(selectors: [])),
        sink: view)
      let opening = try FieldPlan(protobuf: view, sink: nil)
      for message in vector.messages {
        let plain = try vector.body(message.plain)
        let sealed = try vector.body(message.sealed)
        let plainValues = try values(in: plain, sealing)
        let sealedValues = try values(in: sealed, opening)
        #expect(plainValues.count == sealedValues.count)
        #expect(try rewrite(plain, sealing, sealedValues) == sealed)
        #expect(try rewrite(sealed, opening, plainValues) == plain)
      }
    }
  }

  @Test(arguments: ProtobufVector.all.filter { $0.expectWrite == "error" })
  func knowsWhatCannotBeSealed(_ vector: ProtobufVector) throws {
    let view = try vector.view(vector.forms[0])
    let plan = try FieldPlan(protobuf: view, sink: view)
    #expect(
      plan.fields.contains { field in
        guard case .unsupported = field.type else { return false }
        return !field.sealing.isEmpty && !field.isInUnion
      })
  }

  private func values(in body: [UInt8], _ plan: FieldPlan) throws -> [[UInt8]] {
    let transform = ListTransform([])
    _ = try body.withUnsafeBytes { try plan.rewrite($0, into: ByteArena(), transform: transform) }
    return transform.seen
  }

  private func rewrite(_ body: [UInt8], _ plan: FieldPlan, _ values: [[UInt8]]) throws -> [UInt8] {
    let arena = ByteArena()
    let changed = try body.withUnsafeBytes {
      try plan.rewrite($0, into: arena, transform: ListTransform(values))
    }
    return changed ? Array(arena.bytes) : body
  }
}
