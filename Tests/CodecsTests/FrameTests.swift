import Foundation
import TestSupport
import Testing

@testable import Codecs

/// One case of `vectors/framing.json`.
struct FramingVector: Decodable, CustomTestStringConvertible {
  let name: String
  let schemaType: String
  let id: Int32?
  let guid: String?
  let messageIndexes: [Int32]?
  let prefixHex: String
  let headerHex: String?
  let readOnly: Bool?
  let expect: String?

  var testDescription: String { name }

  static let all: [FramingVector] = Fixtures.cases(in: "vectors/framing.json")
}

struct FrameTests {
  private let body = Array("body".utf8)

  @Test func theVectorFileIsRead() { #expect(FramingVector.all.count == 20) }

  @Test(arguments: FramingVector.all.filter { $0.expect != "fail" })
  func readsAndWritesPrefixes(_ vector: FramingVector) throws {
    let prefix = try #require(bytes(vector.prefixHex))
    let reference = SchemaReference.id(try #require(vector.id))
    try check(prefix, reference, vector) { payload in
      let frame = try Frame(payload: payload, header: nil)
      #expect(!frame.isInHeader && frame.prefixCount == 5)
      return (frame.reference, UnsafeRawBufferPointer(rebasing: payload[frame.prefixCount...]))
    }
  }

  @Test(arguments: FramingVector.all.filter { $0.headerHex != nil })
  func readsAndWritesHeaders(_ vector: FramingVector) throws {
    let header = try #require(bytes(vector.headerHex ?? ""))
    let guid = try #require(GUID(vector.guid ?? ""))
    #expect(guid.description == vector.guid)
    try check(header, .guid(guid), vector) { header in
      let payload = UnsafeRawBufferPointer(rebasing: header[header.count...])
      let frame = try Frame(payload: payload, header: header)
      #expect(frame.isInHeader && frame.prefixCount == 0)
      return (frame.reference, UnsafeRawBufferPointer(rebasing: header[frame.reference.count...]))
    }
  }

  private func check(
    _ encoded: [UInt8], _ reference: SchemaReference, _ vector: FramingVector,
    read: (UnsafeRawBufferPointer) throws -> (SchemaReference, UnsafeRawBufferPointer)
  ) throws {
    try (encoded + body).withUnsafeBytes { payload in
      let (found, rest) = try read(payload)
      #expect(found == reference)
      var indexesCount = 0
      if let path = vector.messageIndexes {
        let indexes = try MessageIndexes(readingFrom: rest)
        #expect(indexes.path == path)
        indexesCount = indexes.count
      }
      #expect(Array(rest.dropFirst(indexesCount)) == body)
    }
    let arena = ByteArena()
    reference.write(to: arena)
    if let path = vector.messageIndexes { MessageIndexes.write(path, to: arena) }
    #expect((Array(arena.bytes) == encoded) == (vector.readOnly != true))
  }

  @Test(arguments: FramingVector.all.filter { $0.expect == "fail" })
  func refusesUnknownMagic(_ vector: FramingVector) throws {
    let prefix = try #require(bytes(vector.prefixHex))
    #expect(throws: FrameError.unknownMagic(prefix[0])) {
      try prefix.withUnsafeBytes { try Frame(payload: $0, header: nil) }
    }
  }

  @Test(arguments: [[], [0], [0, 1, 2, 3], [1], [1] + [UInt8](repeating: 0, count: 15)])
  func refusesShortPayloads(_ payload: [UInt8]) {
    #expect(throws: FrameError.tooShort(payload.count)) {
      try payload.withUnsafeBytes { try Frame(payload: $0, header: nil) }
    }
  }

  @Test func eachPlaceTakesEitherForm() throws {
    let guid: [UInt8] = [1] + (0..<16) + [99]
    let inPayload = try guid.withUnsafeBytes { try Frame(payload: $0, header: nil).reference }
    #expect(inPayload.description == "schema GUID 00010203-0405-0607-0809-0a0b0c0d0e0f")
    let id: [UInt8] = [0, 0, 0, 1, 0]
    let inHeader = try id.withUnsafeBytes { try Frame(payload: $0, header: $0).reference }
    #expect(inHeader == .id(256))
  }

  @Test(arguments: ["01", "", "80", "02", "0280", "c0843d", "ffffffffff01", "0201"])
  func refusesMessageIndexes(_ hex: String) throws {
    let encoded = try #require(bytes(hex))
    #expect(throws: FrameError.self) { try encoded.withUnsafeBytes { try MessageIndexes(readingFrom: $0) } }
  }

  @Test(arguments: [
    "", "1", "00000000-0000-0000-0000-00000000000", "0000000000000000-0000-0000-000000000000",
    "+0000000-0000-0000-0000-000000000000",
  ])
  func refusesTextThatIsNoGUID(_ text: String) { #expect(GUID(text) == nil) }

  private func bytes(_ hex: String) -> [UInt8]? {
    let digits = Array(hex)
    guard digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 }
  }
}
