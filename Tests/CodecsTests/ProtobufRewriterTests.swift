import JSON
import TestSupport
import Testing

@testable import Codecs

/// Rewrites as with the helper for other formats; plans that seal and that open, of the same schema.
func protobufPlans(
  _ schema: String, message: String? = nil, tags: [String] = ["PII"], reach: Bool = true
) throws -> (sealing: FieldPlan, opening: FieldPlan) {
  let schema = try ProtobufSchema(parsing: schema)
  let message = try #require(message.map { schema.message(named: $0) } ?? schema.message(at: [0]))
  func view(_ selectors: [TagRules.Selector]) -> ProtobufTagView {
    let rules = TagRules(selectors: selectors, containerTagsReachChildren: reach)
    return ProtobufTagView(schema: schema, message: message, rules: rules)
  }
  let tagged = view([.init(tags: tags)])
  return (try FieldPlan(protobuf: view([]), sink: tagged), try FieldPlan(protobuf: tagged, sink: nil))
}

struct ProtobufJSONTests {
  private func document(_ schema: String, _ body: [UInt8]) throws -> JSONValue {
    let schema = try ProtobufSchema(parsing: schema)
    let message = try #require(schema.message(at: [0]))
    return try body.withUnsafeBytes {
      try ProtobufJSONDecoder.document($0, schema: schema, message: message)
    }
  }

  /// An element at a time, each between others. Were what is there copied for each, this would not end.
  @Test func elementsAreAddedToWhatIsThere() throws {
    let schema = "message M { repeated bool flags = 1; map<fixed32, bool> known = 2; }"
    var body: [UInt8] = []
    let count = 200_000
    for index in 0..<count {
      let key = (0..<4).map { UInt8(truncatingIfNeeded: index >> ($0 * 8)) }
      body += [0x08, 1, 0x12, 7, 0x0D] + key + [0x10, 1]
    }
    let document = try document(schema, body)
    #expect(document["flags"]?.array?.count == count)
    #expect(document["known"]?.object?.count == count)
    #expect(document.object?.names == ["flags", "known"])
  }
}

struct ProtobufRewriterPropertyTests {
  private static func seal(_ value: [UInt8]) -> [UInt8] { [0xE2, 0x80, 0xA1] + value + [0x21] }

  /// 20,000 bodies of 1,000 random schemas; the seed of a failure is in its message.
  @Test(arguments: 0..<8)
  func replacesExactlyTheTaggedLeaves(_ part: Int) throws {
    let base = SeededGenerator.seed()
    var replaced = 0
    for offset in 0..<125 {
      let seed = base &+ UInt64(part * 1_000 + offset)
      var sample = ProtobufSample(seed: seed)
      let plans = try protobufPlans(sample.schema)
      for _ in 0..<20 {
        let body = sample.body(seal: Self.seal)
        let sealing = MappingTransform(Self.seal)
        let sealed = try rewrite(body.plain, with: plans.sealing, sealing) ?? body.plain
        // Spelled so that a failure does not print kilobytes of numbers.
        let isSealed = sealed == body.sealed
        try #require(isSealed, "seed \(seed): \(sample.schema)")
        try #require(sealing.seen.count == body.leaves, "seed \(seed)")
        let opening = MappingTransform { Array($0.dropFirst(3).dropLast()) }
        let opened = try rewrite(sealed, with: plans.opening, opening) ?? sealed
        let isOpened = opened == body.opened
        try #require(isOpened, "seed \(seed): \(sample.schema)")
        let kept = try rewrite(body.plain, with: plans.sealing, MappingTransform { _ in nil })
        try #require(kept == nil, "seed \(seed)")
        replaced += body.leaves
      }
    }
    #expect(replaced > 1_000, "the samples do have tagged leaves (seed \(base))")
  }

  /// Cutting a body anywhere, or damaging a byte of it, may fail or may not; it never traps or runs away.
  @Test func survivesDamage() throws {
    let base = SeededGenerator.seed()
    var refused = 0
    for offset in 0..<UInt64(300) {
      var sample = ProtobufSample(seed: base &+ offset)
      var random = SeededGenerator(seed: base &+ offset)
      let plans = try protobufPlans(sample.schema)
      let body = sample.body { $0 }.plain
      for _ in 0..<70 where !body.isEmpty {
        let damaged = random.damaged(body)
        do {
          _ = try rewrite(damaged, with: plans.sealing, MappingTransform { $0 + [1] })
          _ = try rewrite(damaged, with: plans.opening, MappingTransform { _ in [] })
        } catch is RecordError {
          refused += 1
        }
      }
    }
    #expect(refused > 100, "seed \(base)")
  }
}

struct ProtobufRewriterTests {
  private let header = "syntax = \"proto3\";\nimport \"confluent/meta.proto\";\n"
  private let tag = "[(confluent.field_meta).tags = \"PII\"]"

  private var nested: String {
    header + """
      message A {
        int64 id = 1;
        B inner = 2;
        string note = 4 \(tag);
        message B { string ssn = 1 \(tag); string city = 2; }
      }
      """
  }

  private let star = MappingTransform { _ in [0x2A] }

  private func error(_ body: [UInt8], _ plan: FieldPlan) throws -> RecordError {
    try #require(throws: RecordError.self) { try rewrite(body, with: plan, MappingTransform { $0 }) }
  }

  @Test func saysWhereARecordIsDamaged() throws {
    let plan = try protobufPlans(nested).opening
    let error = try error([0x12, 0x03, 0x0A, 0x05, 0x61], plan)
    #expect(error.description == "the record is truncated at byte 3 in field inner.ssn")
  }

  @Test(arguments: [
    ([0x08], RecordError.Reason.truncated), ([0x80], .truncated), ([0x12, 0x05, 0x0A], .truncated),
    ([0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], .invalidLength),
    ([UInt8](repeating: 0xFF, count: 11), .overlongNumber),
    ([0x00], .invalidTag), ([0x0E], .invalidTag), ([0x80, 0x80, 0x80, 0x80, 0x80, 0x01], .invalidTag),
    ([0x4B, 0x4C], .group), ([0x4C], .group), ([0x13, 0x14], .group), ([0x20, 0x01], .wrongWireType),
    ([0x09, 0x01], .truncated), ([0x0D, 0x01], .truncated), ([0x12, 0x02, 0x0A, 0x01, 0x61], .truncated),
  ])
  func refusesDamage(_ body: [UInt8], _ reason: RecordError.Reason) throws {
    let plans = try protobufPlans(nested)
    #expect(try error(body, plans.opening).reason == reason)
    #expect(try error(body, plans.sealing).reason == reason)
  }

  @Test func lengthsThatAreLongerThanTheyHadToBe() throws {
    let plan = try protobufPlans(nested).opening
    // Untouched, a spelling stands; around a replacement it becomes the shortest.
    let untouched: [UInt8] = [0x12, 0x85, 0x00, 0x12, 0x82, 0x00, 0x61, 0x62]
    #expect(try rewrite(untouched, with: plan, star) == nil)
    let body: [UInt8] = [0x12, 0x84, 0x80, 0x00, 0x0A, 0x82, 0x00, 0x61, 0x92, 0x00]
    #expect(try error(body, plan).reason == .truncated)
    let whole: [UInt8] = [0x12, 0x85, 0x80, 0x00, 0x0A, 0x82, 0x00, 0x61, 0x62]
    #expect(try rewrite(whole, with: plan, star) == [0x12, 0x03, 0x0A, 0x01, 0x2A])
  }

  @Test func unknownFieldsStay() throws {
    let plan = try protobufPlans(nested).opening
    let body: [UInt8] =
      [0x78, 0x96, 0x01, 0x22, 0x01, 0x61] + [0x7D, 1, 2, 3, 4] + [0x79, 1, 2, 3, 4, 5, 6, 7, 8] + [
        0x7A, 1, 0xFF,
      ]
    var expected = body
    expected[5] = 0x2A
    #expect(try rewrite(body, with: plan, star) == expected)
  }

  /// Specification section D.4: absent and empty are the same, and an empty text is sealed too.
  @Test func whatIsAbsentIsSealedWhereItBelongs() throws {
    let plans = try protobufPlans(nested)
    let transform = MappingTransform { _ in [0x2A] }
    #expect(try rewrite([], with: plans.sealing, transform) == [0x22, 0x01, 0x2A])
    #expect(transform.seen.map(\.value) == [[]])
    #expect(
      try rewrite([0x08, 0x01, 0x12, 0x00, 0x28, 0x02], with: plans.sealing, transform)
        == [0x08, 0x01, 0x12, 0x03, 0x0A, 0x01, 0x2A, 0x22, 0x01, 0x2A, 0x28, 0x02])
    // Out of order, but there.
    #expect(
      try rewrite([0x22, 0x01, 0x61, 0x08, 0x01], with: plans.sealing, transform)
        == [0x22, 0x01, 0x2A, 0x08, 0x01])
    #expect(try rewrite([], with: plans.opening, transform) == nil)
  }

  @Test func whatOpensToNothingIsLeftOut() throws {
    let plan = try protobufPlans(nested).opening
    let body: [UInt8] = [0x12, 0x05, 0x0A, 0x01, 0x61, 0x12, 0x00, 0x22, 0x01, 0x61]
    #expect(try rewrite(body, with: plan, MappingTransform { _ in [] }) == [0x12, 0x02, 0x12, 0x00])
  }

  @Test func presenceIsKept() throws {
    let plans = try protobufPlans(
      header + "message A { optional string a = 1 \(tag); oneof o { bytes b = 2 \(tag); int32 c = 3; } "
        + "repeated string d = 4 \(tag); }")
    #expect(try rewrite([], with: plans.sealing, star) == nil)
    let body: [UInt8] = [0x0A, 0x00, 0x12, 0x00, 0x22, 0x00]
    let sealed: [UInt8] = [0x0A, 0x01, 0x2A, 0x12, 0x01, 0x2A, 0x22, 0x01, 0x2A]
    #expect(try rewrite(body, with: plans.sealing, star) == sealed)
    #expect(try rewrite(sealed, with: plans.opening, MappingTransform { _ in [] }) == body)
  }

  @Test func manyAbsentFields() throws {
    let count = 200
    let fields = (1...count).map { "bytes f\($0) = \($0) \(tag);" }.joined(separator: "\n")
    let plans = try protobufPlans(header + "message A { \(fields) }")
    let sealed = try #require(try rewrite([0x8A, 0x06, 0x01, 0x61], with: plans.sealing, star))
    var expected: [UInt8] = []
    for number in UInt32(1)...200 {
      let tag = number << 3 | 2
      expected += (tag < 0x80 ? [UInt8(tag)] : [UInt8(tag & 0x7F | 0x80), UInt8(tag >> 7)]) + [1, 0x2A]
    }
    #expect(sealed == expected)
    #expect(try rewrite(sealed, with: plans.opening, MappingTransform { _ in [] }) == [])
  }

  // MARK: Pieces

  @Test func everyOccurrenceOfASingularFieldIsSealed() throws {
    let plan = try protobufPlans(nested).sealing
    #expect(
      try rewrite([0x22, 0x01, 0x61, 0x22, 0x01, 0x62], with: plan, MappingTransform { $0 + $0 })
        == [0x22, 0x02, 0x61, 0x61, 0x22, 0x02, 0x62, 0x62])
  }

  /// Parsers merge the pieces of a message: what is absent in one may stand in another.
  @Test func piecesOfAMessageAreSealedAsOne() throws {
    let plan = try protobufPlans(header + "message A { B b = 1; message B { string s = 1 \(tag); } }").sealing
    let star = MappingTransform { $0.isEmpty ? [0x2A] : [0x2B] }
    // The empty one sealed in the first piece gives way to the second piece's.
    #expect(
      try rewrite([0x0A, 0x00, 0x0A, 0x03, 0x0A, 0x01, 0x61], with: plan, star)
        == [0x0A, 0x03, 0x0A, 0x01, 0x2A, 0x0A, 0x03, 0x0A, 0x01, 0x2B])
    #expect(
      try rewrite([0x0A, 0x03, 0x0A, 0x01, 0x61, 0x0A, 0x00], with: plan, star)
        == [0x0A, 0x03, 0x0A, 0x01, 0x2B, 0x0A, 0x00])
  }

  @Test func piecesThatWouldHaveToBeMergedAreRefused() throws {
    let plans = try protobufPlans(
      header + "message A { B b = 1; oneof o { C c = 2; int32 n = 3; } "
        + "message B { C c = 1; } message C { string s = 1 \(tag); } }")
    let inside = try error([0x0A, 0x00, 0x0A, 0x02, 0x0A, 0x00], plans.sealing)
    #expect(inside.reason == .scatteredMessage && inside.path == ["b", "c"] && inside.offset == 4)
    #expect(try error([0x12, 0x00, 0x18, 0x01, 0x12, 0x00], plans.sealing).reason == .scatteredMessage)
    // Without anything to seal when absent there is no question.
    #expect(try rewrite([0x0A, 0x00, 0x0A, 0x02, 0x0A, 0x00], with: plans.opening, star) == nil)
  }

  // MARK: Recursion and stopping

  @Test func aMessageThatContainsItselfIsWalked() throws {
    let plan = try protobufPlans(header + "message A { string s = 1 \(tag); repeated A children = 2; }")
      .opening
    let leaf: [UInt8] = [0x12, 0x03, 0x0A, 0x01, 0x62]
    let body = [0x0A, 0x01, 0x61] + leaf + leaf
    let transform = MappingTransform { $0 + $0 }
    let changed: [UInt8] = [0x12, 0x04, 0x0A, 0x02, 0x62, 0x62]
    #expect(try rewrite(body, with: plan, transform) == [0x0A, 0x02, 0x61, 0x61] + changed + changed)
  }

  @Test func nestedTooDeep() throws {
    let plans = try protobufPlans(header + "message A { string s = 1 \(tag); repeated A children = 2; }")
    func body(depth: Int) -> [UInt8] {
      var body: [UInt8] = []
      for _ in 0..<depth {
        var length: [UInt8] = []
        VarInt.withEncoding(of: UInt64(body.count)) { length += $0 }
        body = [0x12] + length + body
      }
      return body
    }
    #expect(try rewrite(body(depth: RecordLimits.depth - 1), with: plans.sealing, star) != nil)
    #expect(try error(body(depth: RecordLimits.depth), plans.sealing).reason == .tooDeep)
  }

  @Test func theTransformCanStop() throws {
    let plan = try protobufPlans(header + "message A { B b = 1; message B { repeated int32 n = 2 \(tag); } }")
      .sealing
    #expect(
      plan.fields == [
        PlannedField(
          name: "A.B.n", type: .unsupported("int32"), opening: [], sealing: [.init(rule: 0)], isInUnion: false
        )
      ])
    let transform = MappingTransform { $0 }
    #expect(try rewrite([0x0A, 0x00], with: plan, transform) == nil)
    #expect(transform.unsupported.isEmpty)
    // Packed and not.
    #expect(try rewrite([0x0A, 0x05, 0x12, 0x01, 0x07, 0x10, 0x07], with: plan, transform) == nil)
    #expect(transform.unsupported == [0, 0])
    transform.stopsAtUnsupported = true
    let error = try #require(throws: RecordError.self) {
      try rewrite([0x0A, 0x02, 0x10, 0x07], with: plan, transform)
    }
    #expect(error.reason == .stopped(field: 0) && error.path == ["b", "n"])
  }
}
