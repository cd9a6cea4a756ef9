import TestSupport
import Testing

@testable import Codecs

/// Schemas and bodies made to use up memory, stack or time.
struct AvroResolutionLimitTests {
  private let list =
    #"{"type":"record","name":"R","fields":[{"name":"v","type":"int"},{"name":"n","type":["null","R"]}]}"#
  private let turned =
    #"{"type":"record","name":"R","fields":[{"name":"n","type":["null","R"]},{"name":"v","type":"int"}]}"#

  @Test(arguments: [true, false]) func aBodyNestedTooDeepIsRefused(_ isTurned: Bool) throws {
    let reader = isTurned ? turned : list
    func body(_ depth: Int) -> [UInt8] { (1..<depth).flatMap { _ in [4, 2] as [UInt8] } + [4, 0] }
    // A record and a union a level.
    let allowed = RecordLimits.depth / 2
    #expect(try resolve(body(allowed), list, reader).count == 2 * allowed)
    let error = try #require(throws: RecordError.self) { try resolve(body(allowed + 1), list, reader) }
    #expect(error.reason == .tooDeep)
  }

  @Test func typesNestedTooDeepAreRefused() throws {
    let records = (0..<2_000).map { index in
      let inner = index == 0 ? "string" : "R\(index - 1)"
      return #"{"type":"record","name":"R\#(index)","fields":[{"name":"f","type":"\#(inner)"}]}"#
    }
    let schema = try AvroSchema(parsing: "\"R1999\"", references: records)
    #expect(throws: AvroResolutionError.tooDeep) { try AvroResolution(from: schema, to: schema) }
    let wrapped = try AvroSchema(
      parsing: #"{"type":"record","name":"W","fields":[{"name":"f","type":"R1999"}]}"#, references: records)
    let bare = try AvroSchema(parsing: #"{"type":"record","name":"W","fields":[]}"#)
    #expect(throws: AvroResolutionError.tooDeep) { try AvroResolution(from: wrapped, to: bare) }
  }

  /// Each level holds the one before twice: 2^40 records, in no bytes or a few.
  private func doubled(_ field: String) -> String {
    (1...40).reduce(#"{"type":"record","name":"R0","fields":[\#(field)]}"#) {
      #"{"type":"record","name":"R\#($1)","fields":[{"name":"a","type":\#($0)},{"name":"b","type":"R\#($1 - 1)"}]}"#
    }
  }

  @Test func recordsOfNothingTakeNoTime() throws {
    #expect(try resolve([], doubled(""), doubled("")).isEmpty)
    #expect(try resolve([], doubled(#"{"name":"x","type":"null"}"#), doubled("")).isEmpty)
    let null = #"{"name":"x","type":"null"}"#
    #expect(try resolve([], doubled("\(null),{\"name\":\"y\",\"type\":\"null\"}"), doubled(null)).isEmpty)
  }

  @Test func outputIsBounded() throws {
    let writer =
      #"{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"v","type":"int"}]}}"#
    let text = String(repeating: "x", count: 1_000)
    let reader =
      #"{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"d","type":"string","default":"\#(text)"},"#
      + #"{"name":"v","type":"int"}]}}"#
    let program = try resolution(writer, reader).program
    let body: [UInt8] = [20] + [UInt8](repeating: 2, count: 10) + [0]
    try body.withUnsafeBytes { bytes in
      let output = ByteArena()
      output.append(0xAB)
      var enough = AvroResolutionWalk(program: program, body: bytes, output: output, limit: 10_032)
      try enough.run()
      #expect(output.count == 10_033)
      var tooLittle = AvroResolutionWalk(program: program, body: bytes, output: ByteArena(), limit: 10_031)
      let error = try #require(throws: RecordError.self) { try tooLittle.run() }
      #expect(error.reason == .tooLarge)
    }
  }

  @Test func defaultsOfRecordsOfNothingAreBounded() throws {
    let default40 = #"{"name":"x","type":"int","default":1}"#
    let program = try resolution(doubled(""), doubled(default40)).program
    try [UInt8]().withUnsafeBytes { bytes in
      var walk = AvroResolutionWalk(program: program, body: bytes, output: ByteArena(), limit: 100_000)
      let error = try #require(throws: RecordError.self) { try walk.run() }
      #expect(error.reason == .tooLarge)
    }
  }

  @Test func manyItemsOfNothingAreNotMadeIntoSomething() throws {
    let (writer, reader) = (#"{"type":"array","items":"null"}"#, #"{"type":"array","items":["null","int"]}"#)
    func body(_ count: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      AvroNumber.withEncoding(of: count) { bytes += $0 }
      return bytes + [0]
    }
    #expect(try resolve(body(1_000_000), writer, reader).count == 1_000_004)
    for count in [1_000_001, 1 << 62] {
      let error = try #require(throws: RecordError.self) { try resolve(body(count), writer, reader) }
      #expect(error.reason == .tooLarge)
    }
    #expect(throws: RecordError.self) { try resolve([1, 2, 0, 0], writer, writer) }
  }

  @Test func defaultsThatDoubleAreRefused() throws {
    let records = (1...40).reduce(#"{"type":"record","name":"R0","fields":[]}"#) {
      #"{"type":"record","name":"R\#($1)","fields":[{"name":"a","default":{},"type":\#($0)},{"name":"b","default":{},"type":"R\#($1 - 1)"}]}"#
    }
    let reader = #"{"type":"record","name":"R","fields":[{"name":"x","default":{},"type":\#(records)}]}"#
    #expect(throws: AvroResolutionError.self) {
      try resolution(#"{"type":"record","name":"R","fields":[]}"#, reader)
    }
  }

  /// One writer's record stands for as many of the reader's as name it as an alias.
  @Test func aliasesThatMultiplyAreRefused() throws {
    let wide = (0..<3_000).map { #"{"name":"w\#($0)","type":"int"}"# }.joined(separator: ",")
    let writerFields = (0..<3_000).map { index in
      let type = index == 0 ? #"{"type":"record","name":"W","fields":[\#(wide)]}"# : #""W""#
      return #"{"name":"f\#(index)","type":\#(type)}"#
    }
    let readerFields = (0..<3_000).map { index in
      #"{"name":"f\#(index)","type":{"type":"record","name":"A\#(index)","aliases":["W"],"fields":[]}}"#
    }
    func record(_ fields: [String]) -> String {
      #"{"type":"record","name":"R","fields":[\#(fields.joined(separator: ","))]}"#
    }
    #expect(throws: AvroResolutionError.tooLarge) {
      try resolution(record(writerFields), record(readerFields))
    }
  }

  /// Cutting a body anywhere, or damaging a byte of it, may fail or may not; it never traps or runs away.
  @Test func survivesDamage() throws {
    let seed = SeededGenerator.seed()
    var random = SeededGenerator(seed: seed)
    var (resolved, refused) = (0, 0)
    let output = ByteArena()
    for sample in AvroResolutionFixtureTests.cases {
      let resolution: AvroResolution
      do {
        resolution = try AvroResolution(from: sample.writerSchema(), to: sample.readerSchema())
      } catch { continue }
      for _ in 0..<50 {
        guard var body = sample.bodies.randomElement(using: &random)?.bytes else { continue }
        body.removeLast(min(body.count, max(0, random.next(in: -20...20))))
        for _ in 0..<random.next(in: 0...3) where !body.isEmpty {
          body[random.next(in: 0...(body.count - 1))] = UInt8(random.next(in: 0...255))
        }
        output.removeAll()
        do {
          try body.withUnsafeBytes { try resolution.resolve($0, into: output) }
          resolved += 1
        } catch is RecordError {
          refused += 1
        }
      }
    }
    #expect(resolved > 1_000 && refused > 1_000, "seed \(seed)")
  }
}
