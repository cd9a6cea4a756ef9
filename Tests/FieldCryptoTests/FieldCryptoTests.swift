import Foundation
import Testing

@testable import FieldCrypto

struct SelfTestTests {
  @Test func theLoadedLibraryGivesTheKnownAnswers() throws { try SelfTest.run() }
}

struct KeyMaterialTests {
  private let key = [UInt8](repeating: 7, count: 32)

  private func read(_ bytes: [UInt8], _ algorithm: DEKAlgorithm = .aes256GCM) throws -> KeyMaterial {
    try bytes.withUnsafeBytes { try KeyMaterial(serialized: $0, for: algorithm) }
  }

  @Test func acceptsAnExplicitVersionAndUnknownFields() throws {
    let unknown: [UInt8] = [0x20, 0x05, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x32, 0x01, 0xAA, 0x3D, 1, 2, 3, 4]
    let material = try read([0x08, 0x00] + unknown + [0x1A, 32] + key)
    #expect(material.key.withUnsafeBytes { Array($0) } == key)
  }

  @Test(arguments: [
    [], [0x1A], [0x1A, 0x20, 1, 2], [0x08, 0x01, 0x1A, 0x10] + [UInt8](repeating: 1, count: 16),
    [0x1A, 0x11] + [UInt8](repeating: 1, count: 17), [0x12, 0x20] + [UInt8](repeating: 1, count: 32),
    [0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x1B], [0x00, 0x00],
    [UInt8](repeating: 0xFF, count: 16),
  ])
  func refusesWhatIsNoKey(_ bytes: [UInt8]) {
    #expect(throws: CryptoError.self) { try read(bytes) }
  }

  @Test func a16ByteKeyServesUnderTheLongerName() throws {
    _ = try read([0x1A, 16] + key.prefix(16), .aes256GCM)
    _ = try read([0x1A, 32] + key, .aes128GCM)
  }

  @Test(arguments: DEKAlgorithm.allCases)
  func generatesDistinctKeysOfTheRightSize(_ algorithm: DEKAlgorithm) throws {
    let keys = try (0..<8).map { _ in
      try KeyMaterial(generatedFor: algorithm).key.withUnsafeBytes { Array($0) }
    }
    #expect(Set(keys).count == 8)
    #expect(keys.allSatisfy { $0.count == algorithm.keyCount })
  }

  @Test func aSecretPrintsAsItsSize() {
    #expect("\(SecretBytes(utf8: "hunter2"))" == "SecretBytes(7)")
  }
}

struct Base64Tests {
  @Test func agreesWithFoundationForEveryLength() {
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
      let text = Base64.encode(bytes)
      #expect(text == Data(bytes).base64EncodedString())
      #expect(Base64.decode(text) == bytes)
    }
  }

  @Test(arguments: [
    "A", "AA", "AAA", "AA=", "A===", "====", "=AAA", "AA=A", "AAAA=", "AAA=AAAA", "AAAAA===", "AB==", "AAB=",
    "AA-_", "AAA\n", " AAA", "AA A", "AAAA\n", "ÄAA", "AAA\0",
  ])
  func refusesWhatIsNotCanonical(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }
}

struct DEKVersionPrefixTests {
  @Test(
    arguments: [
      ([], nil), ([0, 0, 0, 0], nil), ([0, 0, 0, 0, 1], 1), ([1, 0, 0, 0, 1], nil), ([0, 0, 0, 0, 0], nil),
      ([0, 0xFF, 0xFF, 0xFF, 0xFF], nil), ([0, 0x7F, 0xFF, 0xFF, 0xFF], Int32.max),
      ([0, 0, 0, 1, 2, 99], 258),
    ] as [([UInt8], Int32?)])
  func readsOnlyRealVersions(_ bytes: [UInt8], _ version: Int32?) {
    #expect(bytes.withUnsafeBytes { DEKVersionPrefix.read($0) } == version)
  }
}

struct FieldCipherTests {
  @Test(arguments: DEKAlgorithm.allCases)
  func everyFlippedBitIsNoticedAndLeavesNoPlaintext(_ algorithm: DEKAlgorithm) throws {
    let cipher = try FieldCipher(KeyMaterial(generatedFor: algorithm), ivs: IVSource())
    let sealed = try cipher.seal(Array("078-05-1120".utf8))
    for bit in 0..<sealed.count * 8 {
      var damaged = sealed
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      var output = [UInt8](repeating: 0xEE, count: 11)
      #expect(throws: CryptoError.doesNotOpen) {
        try output.withUnsafeMutableBytes { output in
          try damaged.withUnsafeBytes { try cipher.open($0, into: output) }
        }
      }
      #expect(output.allSatisfy { $0 == 0 })
    }
  }

  @Test func aFailureDoesNotSpoilTheNextOperation() throws {
    for algorithm in DEKAlgorithm.allCases {
      let cipher = try FieldCipher(KeyMaterial(generatedFor: algorithm), ivs: IVSource())
      for round in 0..<50 {
        let text = [UInt8](repeating: UInt8(round), count: round)
        let sealed = try cipher.seal(text)
        #expect(throws: CryptoError.doesNotOpen) {
          try cipher.open(sealed.dropLast() + [sealed[sealed.count - 1] ^ 1])
        }
        #expect(try cipher.open(sealed) == text)
      }
    }
  }

  @Test func vectorsNeverRepeat() throws {
    let source = IVSource()
    var seen: Set<[UInt8]> = []
    for _ in 0..<5_000 {
      var iv = [UInt8](repeating: 0, count: IVSource.count)
      try iv.withUnsafeMutableBytes { try source.next(into: try #require($0.baseAddress)) }
      seen.insert(iv)
    }
    #expect(seen.count == 5_000)
  }

  @Test func hkdfMatchesRFC5869WithoutSaltAndInfo() throws {
    // RFC 5869 A.3.
    let secret = [UInt8](repeating: 0x0B, count: 22).withUnsafeBytes { SecretBytes(copying: $0) }
    let derived = try KeyDerivation.hkdfSHA256(secret, count: 42)
    let expected =
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    #expect(derived.withUnsafeBytes { Hex.encode($0) } == expected)
  }
}
