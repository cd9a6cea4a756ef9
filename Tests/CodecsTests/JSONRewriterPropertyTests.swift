import Foundation
import JSON
import TestSupport
import Testing

@testable import Codecs

/// Stands for sealing: base64 of the bytes in reverse.
func sealedForTest(_ plain: [UInt8]) -> [UInt8] { Array(Data(plain.reversed()).base64EncodedData()) }
func openedForTest(_ sealed: [UInt8]) -> [UInt8]? { Data(base64Encoded: Data(sealed)).map { $0.reversed() } }

struct JSONRewriterPropertyTests {
  /// 24,000 texts of 1,200 random schemas; the seed of a failure is in its message.
  @Test(arguments: 0..<8)
  func replacesExactlyTheTaggedLeaves(_ part: Int) throws {
    let base = SeededGenerator.seed()
    var replaced = 0
    for offset in 0..<150 {
      let seed = base &+ UInt64(part * 1_000 + offset)
      var sample = JSONSample(seed: seed)
      let plan = try jsonPlan(sample.schema, reach: false)
      for _ in 0..<20 {
        let text = sample.text(mapping: sealedForTest)
        let sealing = MappingTransform(sealedForTest)
        let sealed: [UInt8]
        do {
          sealed = try rewrite(text.plain, with: plan, sealing) ?? text.plain
        } catch {
          Issue.record(
            "seed \(seed): \(error): \(sample.schema) \(String(decoding: text.plain, as: UTF8.self))")
          return
        }
        try #require(
          sealed == text.sealed,
          "seed \(seed): \(sample.schema) \(String(decoding: text.plain, as: UTF8.self))")
        try #require(sealing.seen.count == text.leaves, "seed \(seed)")
        let opened = try rewrite(sealed, with: plan, MappingTransform(openedForTest)) ?? sealed
        try #require(opened == text.opened, "seed \(seed)")
        // What is spelled as replacements are comes back byte for byte.
        let again = try rewrite(opened, with: plan, MappingTransform(sealedForTest)) ?? opened
        try #require(again == text.sealed, "seed \(seed)")
        try #require(
          try rewrite(text.plain, with: plan, MappingTransform { _ in nil }) == nil, "seed \(seed)")
        replaced += text.leaves
      }
    }
    #expect(replaced > 1_000, "the samples do have tagged leaves (seed \(base))")
    print("seed \(base), part \(part): \(replaced) leaves")
  }

  /// Damage may be noticed or may not; it never traps or runs away, and what is accepted is JSON.
  @Test func survivesDamage() throws {
    let base = SeededGenerator.seed()
    var refused = 0
    var accepted = 0
    for offset in 0..<UInt64(200) {
      var sample = JSONSample(seed: base &+ offset)
      var random = SeededGenerator(seed: base &+ offset)
      let plan = try jsonPlan(sample.schema, reach: false)
      guard !plan.fields.isEmpty else { continue }
      let good = sample.text { $0 }.plain
      for _ in 0..<50 where !good.isEmpty {
        let damaged = Self.damaged(good, &random)
        do {
          _ = try rewrite(damaged, with: plan, MappingTransform { $0 + [0x21] })
          accepted += 1
          #expect(Self.isJSON(damaged), "seed \(base &+ offset): \(String(decoding: damaged, as: UTF8.self))")
        } catch is RecordError {
          refused += 1
        }
      }
    }
    #expect(refused > 100 && accepted > 100, "seed \(base)")
  }

  private static func damaged(_ good: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    if random.next(in: 0...9) == 0 {
      return (0..<random.next(in: 0...40)).map { _ in UInt8(random.next(in: 0...255)) }
    }
    var damaged = random.next(in: 0...2) == 0 ? Array(good.prefix(random.next(in: 0...good.count))) : good
    let marks = Array(#"{}[]",:\tfn0-.eE u"#.utf8)
    for _ in 0..<random.next(in: 0...2) where !damaged.isEmpty {
      let position = random.next(in: 0...(damaged.count - 1))
      damaged[position] =
        random.next(in: 0...1) == 0
        ? UInt8(random.next(in: 0...255)) : marks[random.next(in: 0...(marks.count - 1))]
    }
    return damaged
  }

  /// By the module's other parser, which looks at every string's bytes; the rewriter only at planned ones.
  private static func isJSON(_ bytes: [UInt8]) -> Bool {
    do {
      _ = try JSONValue(parsing: bytes)
      return true
    } catch {
      return error.reason == "a string that is not UTF-8" || error.reason == "half of a surrogate pair"
    }
  }

  /// Schemas of random keywords are refused or compiled. A text that can be sealed under such a plan is opened by
  /// taking the same way, whatever sealing did to what the schema says about strings.
  @Test func whatIsSealedIsOpenedTheSameWay() throws {
    let base = SeededGenerator.seed()
    var count = (compiled: 0, sealed: 0, chosen: 0)
    for offset in 0..<UInt64(1_500) {
      var random = SeededGenerator(seed: base &+ offset)
      let schema = Self.randomSchema(0, &random).serialized()
      do {
        let plan = try jsonPlan(schema, tags: offset % 4 == 0 ? [] : ["PII"], reach: offset % 2 == 0)
        count.compiled += 1
        for _ in 0..<(plan.fields.isEmpty ? 0 : 20) {
          let text = Self.randomDocument(0, &random).serialized()
          guard let sealed = try Self.sealed(Array(text.utf8), plan) else { continue }
          count.sealed += 1
          count.chosen += plan.fields.contains { $0.isInUnion } ? 1 : 0
          let opened = try rewrite(sealed, with: plan, MappingTransform(openedForTest))
          try #require(opened == Array(text.utf8), "seed \(base &+ offset): \(schema) \(text)")
        }
      } catch is JSONSchemaError {
      } catch is FieldPlanError {
      } catch let error as RecordError {
        Issue.record("seed \(base &+ offset), offset \(offset % 4): \(error): \(schema)")
      }
    }
    #expect(count.compiled > 100 && count.sealed > 250 && count.chosen > 25, "seed \(base): \(count)")
  }

  private static func sealed(_ text: [UInt8], _ plan: FieldPlan) throws -> [UInt8]? {
    do { return try rewrite(text, with: plan, MappingTransform(sealedForTest)) } catch is RecordError {
      return nil
    }
  }

  private static func randomDocument(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
    switch random.next(in: depth == 0 ? 4...7 : depth > 3 ? 0...3 : 0...8) {
    case 0, 1: return .string(["", "a", "b", "ab\n"][random.next(in: 0...3)])
    case 2: return .number(["1", "4", "2.5"][random.next(in: 0...2)])
    case 3: return [.null, true][random.next(in: 0...1)]
    case 8: return .array((0..<random.next(in: 0...2)).map { _ in randomDocument(depth + 1, &random) })
    default:
      var members = JSONObject()
      for name in ["a", "b", "c"] where random.next(in: 0...2) > 0 {
        members[name] = randomDocument(depth + 1, &random)
      }
      return .object(members)
    }
  }

  private static func randomSchema(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
    func part(_ random: inout SeededGenerator) -> JSONValue { randomSchema(depth + 1, &random) }
    func property(_ random: inout SeededGenerator) -> JSONValue {
      var schema = (random.next(in: 0...1) == 0 ? ["type": "string"] : part(&random)).object ?? [:]
      if random.next(in: 0...1) == 0 { schema["confluent:tags"] = ["PII"] }
      return .object(schema)
    }
    guard depth < 4 else { return true }
    var schema = JSONObject()
    if depth == 0 {
      schema["properties"] = ["a": property(&random), "b": property(&random), "c": property(&random)]
    }
    for _ in 0..<random.next(in: 0...3) {
      switch random.next(in: 0...15) {
      case 0: schema["type"] = .string(["string", "object", "array", "integer"][random.next(in: 0...3)])
      case 1: schema["type"] = ["string", "object", "array"]
      case 2, 3: schema["properties"] = ["a": property(&random), "b": property(&random)]
      case 4: schema["items"] = part(&random)
      case 5: schema["allOf"] = [part(&random), part(&random)]
      case 6: schema["oneOf"] = [part(&random), part(&random), part(&random)]
      case 7: schema["anyOf"] = [part(&random), part(&random), part(&random)]
      case 8:
        let targets = [
          "#", "#/properties/a", "#/properties/b", "#/items", "#/oneOf/0", "#/allOf/1/properties/b",
        ]
        schema["$ref"] = .string(targets[random.next(in: 0...5)])
      case 9: schema["const"] = .string(["a", "b"][random.next(in: 0...1)])
      case 10: schema["required"] = ["a"]
      case 11: schema["additionalProperties"] = part(&random)
      case 12: schema["maxLength"] = 1
      case 13: schema["pattern"] = "a"
      case 14: schema["prefixItems"] = [part(&random)]
      default: schema["maximum"] = 3
      }
    }
    return .object(schema)
  }
}
