import Pipelines
import TestSupport
import Testing

struct KeyHashTests {
  /// The first vectors of the reference implementation (`vectors_sip128` of github.com/veorq/SipHash), which
  /// `openssl mac SIPHASH` gives too: key 00 01 ... 0f, inputs 00 01 ... of 0, 1, 2 and 15 bytes.
  @Test(
    arguments: [
      (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
      (2, "8177228da4a45dc7fca38bdef60affe4"), (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    ])
  func agreesWithTheReference(_ count: Int, _ expected: String) {
    let hasher = KeyHasher(first: 0x0706_0504_0302_0100, second: 0x0F0E_0D0C_0B0A_0908)
    let hash = (0..<count).map(UInt8.init).withUnsafeBytes { hasher.hash($0) }
    let hex = [hash.low, hash.high].map { word in
      let digits = String(word.byteSwapped, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    #expect(hex.joined() == expected)
  }
}

struct KeyIndexTests {
  @Test func theNewestStays() throws {
    let index = try KeyIndex(capacity: 4)
    let (one, other) = (KeyHash(low: 1, high: 0), KeyHash(low: 1, high: 1))
    #expect(index.newest(of: one) == nil)
    try index.note(one, at: 0)
    #expect(index.newest(of: one) == 0 && index.newest(of: other) == nil)
    try index.note(one, at: 7)
    try index.note(one, at: 3)
    #expect(index.newest(of: one) == 7 && index.count == 1)
  }

  /// Against a dictionary; with few different lower halves most keys share their place.
  @Test(arguments: [UInt64.max, 15]) func agreesWithAModel(_ mask: UInt64) throws {
    var random = SeededGenerator()
    let index = try KeyIndex(capacity: 8)
    var model: [KeyHash: Int64] = [:]
    let keys = (0..<2_000).map { _ in
      KeyHash(low: random.next() & mask, high: random.next())
    }
    for offset in 0..<10_000 as Range<Int64> {
      guard let key = keys.randomElement(using: &random) else { continue }
      try index.note(key, at: offset)
      model[key] = offset
    }
    #expect(index.count == model.count)
    for key in keys { #expect(index.newest(of: key) == model[key]) }
    #expect(index.newest(of: KeyHash(low: 3, high: 3)) == nil)
  }

  @Test func roomThatIsNotThereIsAnError() {
    #expect(throws: MappedFile.Failure.self) { _ = try MappedFile(byteCount: 1 << 60) }
  }
}

struct TransactionWritesTests {
  /// A transaction that wrote the keys 1, 2 and 3 at 10, 12 and 15, and what the partition holds: key and offset each.
  @Test(
    arguments: [
      ([(1, 10), (2, 12), (3, 15)], .clean),
      // Somebody else's, of other keys; and of one that was written before.
      ([(9, 8), (1, 10), (9, 11), (1, 11), (2, 12), (1, 13), (3, 15)], .clean),
      // Before ours, whether before the first of ours or after it.
      ([(3, 9)], .overtaken), ([(1, 10), (2, 11)], .overtaken),
      ([(1, 10), (2, 12), (1, 13), (3, 14)], .overtaken),
      ([(1, 10), (2, 12)], .goOn),
    ] as [([(Int, Int64)], TransactionWrites.Finding)])
  func findsWhoCameBetween(_ records: [(Int, Int64)], _ expected: TransactionWrites.Finding) {
    func key(_ number: Int) -> KeyHash { KeyHash(low: UInt64(number), high: 0) }
    var writes = TransactionWrites()
    #expect(writes.isEmpty && writes.last == nil)
    for number in 1...3 { writes.write(key(number)) }
    for offset in [10, 12, 15] as [Int64] { writes.acknowledge(offset) }
    #expect(!writes.isEmpty && writes.last == 15)
    var found = TransactionWrites.Finding.goOn
    for (number, offset) in records where found == .goOn { found = writes.meet(key(number), at: offset) }
    #expect(found == expected)
  }

  /// A record that was too large and became a dead letter: nothing of the transaction is in the partition to be met.
  @Test func aKeyThatWasNotWrittenIsNothingToLookFor() {
    var writes = TransactionWrites()
    writes.write(KeyHash(low: 1, high: 0))
    #expect(writes.isEmpty)
  }
}

struct TransactionSizeTests {
  @Test func shrinksFastAndGrowsAgain() {
    var size = TransactionSize(most: 3_000)
    #expect(size.records == 1_024)
    size.committed()
    size.committed()
    #expect(size.records == 3_000)
    size.overtaken()
    #expect(size.records == 750)
    for _ in 0..<5 { size.overtaken() }
    #expect(size.records == 64)
    size.committed()
    #expect(size.records == 128)
  }

  @Test func aSmallLimitHolds() { #expect(TransactionSize(most: 100).records == 100) }
}
