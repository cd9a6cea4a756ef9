import Codecs
import Kafka
import TestSupport
import Testing

@testable import Pipelines

struct LetterTests {
  private static let origin = Letter.Origin(topic: "in", partition: 3, offset: 258, timestamp: -1)

  private func bytes(_ letter: Letter) -> [UInt8] {
    let arena = ByteArena()
    letter.write(to: arena)
    return Array(arena.bytes)
  }

  private func letter(_ bytes: [UInt8]) throws(MalformedLetter) -> Letter {
    try bytes.span.withUnsafeBytes { (bytes) throws(MalformedLetter) in try Letter(readingFrom: bytes) }
  }

  private static let coordinates: [UInt8] =
    [0, 0, 0, 2, 0x69, 0x6E, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 2] + Array(repeating: 255, count: 8)

  /// Bytes that are kept are promises: here they are spelled out.
  @Test func theLayoutIsWhatIsDocumented() throws {
    let whole = Letter(
      Self.origin, .init(key: nil, value: [7], headers: [.init("h", []), .init("é", nil)]))
    let expected: [UInt8] =
      [1, 0] + Self.coordinates + [255, 255, 255, 255] + [0, 0, 0, 1, 7] + [0, 0, 0, 2]
      + [0, 0, 0, 1, 0x68, 0, 0, 0, 0] + [0, 0, 0, 2, 0xC3, 0xA9, 255, 255, 255, 255]
    #expect(bytes(whole) == expected)
    #expect(bytes(Letter(Self.origin, nil)) == [1, 1] + Self.coordinates)
  }

  @Test(
    arguments: [
      nil, .init(key: [], value: nil, headers: []), .init(key: [1, 2], value: [], headers: []),
      .init(key: nil, value: Array(repeating: 9, count: 70_000), headers: [.init("", nil), .init("", [1])]),
    ] as [Letter.Content?])
  func whatWasWrittenIsRead(_ content: Letter.Content?) throws {
    let original = Letter(
      .init(topic: "t", partition: .max, offset: .max, timestamp: 1_700_000_000_000), content)
    #expect(try letter(bytes(original)) == original)
  }

  @Test func everyCutIsAnError() throws {
    let whole = bytes(
      Letter(Self.origin, .init(key: [1], value: [2, 3], headers: [.init("name", [4])])))
    for count in 0..<whole.count {
      #expect(throws: MalformedLetter.self, "cut at \(count)") { try letter(Array(whole.prefix(count))) }
    }
  }

  /// No length is believed, and no byte left over.
  @Test func otherBytesAreNoLetter() throws {
    let whole = bytes(Letter(Self.origin, .init(key: [1], value: [2], headers: [])))
    func changed(_ position: Int, _ replacement: [UInt8]) -> [UInt8] {
      var bytes = whole
      bytes.replaceSubrange(position..<position + replacement.count, with: replacement)
      return bytes
    }
    #expect(throws: MalformedLetter.version(2)) { try letter(changed(0, [2])) }
    #expect(throws: MalformedLetter.invalid(at: 1)) { try letter(changed(1, [2])) }
    #expect(throws: MalformedLetter.invalid(at: 2), "a null topic") {
      try letter(changed(2, [255, 255, 255, 255]))
    }
    #expect(throws: MalformedLetter.invalid(at: 2), "no UTF-8") { try letter(changed(6, [0xFF])) }
    let key = 2 + Self.coordinates.count
    #expect(throws: MalformedLetter.invalid(at: key), "a length of -2") {
      try letter(changed(key, [255, 255, 255, 254]))
    }
    #expect(throws: MalformedLetter.truncated(at: key + 4), "two gigabytes") {
      try letter(changed(key, [127, 255, 255, 255]))
    }
    #expect(throws: MalformedLetter.truncated(at: whole.count), "two thousand million headers") {
      try letter(changed(whole.count - 4, [127, 255, 255, 255]))
    }
    #expect(throws: MalformedLetter.trailingBytes(at: whole.count)) { try letter(whole + [0]) }
  }

  /// Foreign bytes: whatever changes, it is an error or another letter.
  @Test func changedBytesNeverTrap() {
    var random = SeededGenerator()
    let whole = bytes(
      Letter(
        Self.origin,
        .init(key: [1], value: Array(repeating: 2, count: 40), headers: [.init("a", [3]), .init("b", nil)])))
    var letters = 0
    for _ in 0..<50_000 {
      var changed = whole
      for _ in 0..<random.next(in: 1...4) {
        changed[random.next(in: 0...changed.count - 1)] =
          [0, 1, 127, 128, 255, .random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
      }
      do throws(MalformedLetter) {
        let read = try letter(changed)
        #expect(bytes(read) == changed, "what is read is what would be written")
        letters += 1
      } catch {
        #expect(!"\(error)".isEmpty)
      }
    }
    #expect(letters > 0)
  }

  // MARK: Labels

  private static let label = LetterLabel(
    job: "job", origin: origin, error: .malformed, field: nil, kek: "kek")

  private func headers(_ label: LetterLabel) -> [(name: String, value: [UInt8]?)] {
    label.texts.map { ($0.name, Array($0.value.utf8)) }
  }

  @Test func theLabelSaysWhereAndWhatButNothingOfTheRecord() throws {
    #expect(
      Self.label.texts.map { "\($0.name)=\($0.value)" } == [
        "reseal.letter=1", "reseal.job=job", "reseal.topic=in", "reseal.partition=3", "reseal.offset=258",
        "reseal.timestamp=-1", "reseal.error=malformed", "reseal.kek=kek",
      ])
    #expect(LetterLabel(headers(Self.label)) == Self.label)
    let other = LetterLabel(job: "j", origin: Self.origin, error: .notSealed, field: "t.R.f", kek: "k")
    #expect(LetterLabel(headers(other)) == other)
    #expect(Self.label.headers.names == Self.label.texts.map(\.name))
  }

  @Test func otherHeadersAreNoLabel() {
    #expect(LetterLabel([]) == nil)
    let whole = headers(Self.label)
    for index in whole.indices {
      var less = whole
      less.remove(at: index)
      #expect(LetterLabel(less) == nil, "without \(whole[index].name)")
      less = whole
      less[index].value = [0xFF]
      #expect(LetterLabel(less) == nil, "with a \(whole[index].name) that is no text")
      less[index].value = nil
      #expect(LetterLabel(less) == nil)
    }
  }
}
