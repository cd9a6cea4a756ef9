import JSON
import TestSupport
import Testing

@testable import Codecs

/// Applies a function to every field, or stops at fields it is told to.
final class MappingTransform: FieldTransform {
  let mapping: ([UInt8]) -> [UInt8]?
  var seen: [(field: Int, value: [UInt8])] = []
  var unsupported: [Int] = []
  var stopsAtUnsupported = false

  init(_ mapping: @escaping ([UInt8]) -> [UInt8]?) { self.mapping = mapping }

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    seen.append((field, Array(value)))
    guard let changed = mapping(Array(value)) else { return false }
    changed.withUnsafeBytes { output.append($0) }
    return true
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {
    unsupported.append(field)
    if stopsAtUnsupported { throw TransformStopped() }
  }
}

/// Rewrites with a fresh arena that already holds something, as it does behind a frame.
func rewrite(_ body: [UInt8], with plan: FieldPlan, _ transform: MappingTransform) throws -> [UInt8]? {
  let arena = ByteArena(capacity: 64)
  arena.append(0xAB)
  let changed = try body.withUnsafeBytes { try plan.rewrite($0, into: arena, transform: transform) }
  #expect(arena.bytes.first == 0xAB)
  return changed ? Array(arena.bytes.dropFirst()) : nil
}

func plan(_ schema: String, tags: [String] = ["PII"], reach: Bool = true) throws -> FieldPlan {
  let rules = TagRules(selectors: [.init(tags: tags)], containerTagsReachChildren: reach)
  return try FieldPlan(avro: AvroTagView(schema: AvroSchema(parsing: schema), rules: rules), sink: nil)
}

struct AvroRewriterPropertyTests {
  /// 20,000 data of 1,000 random schemas; the seed of a failure is in its message.
  @Test(arguments: 0..<8)
  func replacesExactlyTheTaggedLeaves(_ part: Int) throws {
    let base = SeededGenerator.seed()
    var replaced = 0
    for offset in 0..<125 {
      let seed = base &+ UInt64(part * 1_000 + offset)
      var sample = AvroSample(seed: seed)
      let plan = try plan(sample.schema, reach: false)
      for _ in 0..<20 {
        let datum = sample.datum { [0xE2, 0x80, 0xA1] + $0 + [0x21] }
        let sealing = MappingTransform { [0xE2, 0x80, 0xA1] + $0 + [0x21] }
        let sealed = try rewrite(datum.plain, with: plan, sealing) ?? datum.plain
        try #require(sealed == datum.mapped, "seed \(seed): \(sample.schema)")
        try #require(sealing.seen.count == (plan.fields.isEmpty ? 0 : datum.leaves), "seed \(seed)")
        let opened = try rewrite(sealed, with: plan, MappingTransform { Array($0.dropFirst(3).dropLast()) })
        try #require((opened ?? sealed) == datum.plain, "seed \(seed)")
        let kept = try rewrite(datum.plain, with: plan, MappingTransform { _ in nil })
        try #require(kept == nil, "seed \(seed)")
        replaced += datum.leaves
      }
    }
    #expect(replaced > 1_000, "the samples do have tagged leaves (seed \(base))")
  }

  /// Cutting a record anywhere, or damaging a byte of it, may fail or may not; it never traps or runs away.
  @Test func survivesDamage() throws {
    let base = SeededGenerator.seed()
    var refused = 0
    for offset in 0..<UInt64(200) {
      var sample = AvroSample(seed: base &+ offset)
      var random = SeededGenerator(seed: base &+ offset)
      let plan = try plan(sample.schema, reach: false)
      let body = sample.datum { $0 }.plain
      for _ in 0..<50 where !body.isEmpty {
        let damaged = random.damaged(body)
        do {
          _ = try rewrite(damaged, with: plan, MappingTransform { $0 + [1] })
        } catch is RecordError {
          refused += 1
        }
      }
    }
    #expect(refused > 100, "seed \(base)")
  }
}

struct AvroRewriterTests {
  private let nested = """
    {"type":"record","name":"A","fields":[
      {"name":"id","type":"long"},
      {"name":"inner","type":{"type":"record","name":"B","fields":[
        {"name":"ssn","type":"string","confluent:tags":["PII"]}]}}]}
    """

  @Test func saysWhereARecordIsDamaged() throws {
    let plan = try plan(nested)
    let error = try #require(throws: RecordError.self) {
      try rewrite([2, 20, 0x61], with: plan, MappingTransform { $0 })
    }
    #expect(error.description == "the record is truncated at byte 1 in field inner.ssn")
  }

  @Test(arguments: [
    ([], RecordError.Reason.truncated), ([0x80], .truncated), ([2], .truncated), ([2, 1], .invalidLength),
    ([2, 2, 0x61, 0], .trailingBytes), ([UInt8](repeating: 0xFF, count: 11), .overlongNumber),
    ([2] + [UInt8](repeating: 0xFE, count: 9) + [1], .truncated),
  ])
  func refusesDamage(_ body: [UInt8], _ reason: RecordError.Reason) throws {
    let plan = try plan(nested)
    let error = try #require(throws: RecordError.self) {
      try rewrite(body, with: plan, MappingTransform { $0 })
    }
    #expect(error.reason == reason)
  }

  @Test func aHugeCountOfNothingIsNoWork() throws {
    let plan = try plan(
      #"{"type":"record","name":"A","fields":[{"name":"n","type":{"type":"array","items":"null"}},"#
        + #"{"name":"s","type":"string","confluent:tags":["PII"]}]}"#)
    // 2^62 nulls, the end of the array, then "a".
    let body: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 2, 0x61]
    #expect(
      try rewrite(body, with: plan, MappingTransform { $0 + $0 }) == body.dropLast(2) + [4, 0x61, 0x61])
  }

  @Test func aHugeCountOfRecordsOfNothingIsNoWorkHoweverDeep() throws {
    let nothing = (1...40).reduce(#"{"type":"record","name":"R0","fields":[]}"#) {
      #"{"type":"record","name":"R\#($1)","fields":[{"name":"f","type":\#($0)}]}"#
    }
    let plan = try plan(
      #"{"type":"record","name":"A","fields":[{"name":"n","type":{"type":"array","items":\#(nothing)}},"#
        + #"{"name":"s","type":"string","confluent:tags":["PII"]}]}"#)
    let body: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 2, 0x61]
    #expect(
      try rewrite(body, with: plan, MappingTransform { $0 + $0 }) == body.dropLast(2) + [4, 0x61, 0x61])
  }

  @Test func aRecordThatContainsItselfIsTooDeep() throws {
    let plan = try plan(
      #"{"type":"record","name":"A","fields":[{"name":"a","type":"A"},"#
        + #"{"name":"s","type":"string","confluent:tags":["PII"]}]}"#)
    let error = try #require(throws: RecordError.self) {
      try rewrite([1, 2, 3], with: plan, MappingTransform { $0 })
    }
    #expect(error.reason == .tooDeep)
  }

  @Test func anArrayOfItselfIsWalked() throws {
    let plan = try plan(
      #"{"type":"record","name":"A","fields":[{"name":"s","type":"string","confluent:tags":["PII"]},"#
        + #"{"name":"children","type":{"type":"array","items":"A"}}]}"#)
    let leaf: [UInt8] = [2, 0x62, 0]
    let body: [UInt8] = [2, 0x61, 4] + leaf + leaf + [0]
    let transform = MappingTransform { _ in [0x63] }
    #expect(try rewrite(body, with: plan, transform) == [2, 0x63, 4, 2, 0x63, 0, 2, 0x63, 0, 0])
    #expect(transform.seen.count == 3)
  }

  @Test func aSizedBlockMustHaveTheSizeItClaims() throws {
    let plan = try plan(
      #"{"type":"record","name":"A","fields":[{"name":"s","type":{"type":"array","items":"string"},"confluent:tags":["PII"]}]}"#
    )
    #expect(
      try rewrite([1, 4, 2, 0x61, 0], with: plan, MappingTransform { $0 + $0 }) == [1, 6, 4, 0x61, 0x61, 0])
    let error = try #require(throws: RecordError.self) {
      try rewrite([1, 6, 2, 0x61, 0], with: plan, MappingTransform { $0 })
    }
    #expect(error.reason == .invalidLength)
  }

  @Test func theTransformCanStop() throws {
    let plan = try plan(
      #"{"type":"record","name":"A","fields":[{"name":"n","type":["null","int"],"confluent:tags":["PII"]}]}"#)
    #expect(
      plan.fields == [
        PlannedField(
          name: "A.n", type: .unsupported("int"), opening: [.init(rule: 0)], sealing: [], isInUnion: true)
      ])
    let transform = MappingTransform { $0 }
    #expect(try rewrite([0], with: plan, transform) == nil)
    #expect(transform.unsupported.isEmpty, "null is no value to protect")
    #expect(try rewrite([2, 8], with: plan, transform) == nil)
    #expect(transform.unsupported == [0])
    transform.stopsAtUnsupported = true
    let error = try #require(throws: RecordError.self) { try rewrite([2, 8], with: plan, transform) }
    #expect(error.reason == .stopped(field: 0) && error.path == ["n"])
  }
}
