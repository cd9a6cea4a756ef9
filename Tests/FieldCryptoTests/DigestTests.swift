import FieldCrypto
import Testing

struct DigestTests {
  private func hex(_ secret: SecretBytes) -> String { secret.withUnsafeBytes { Hex.encode($0) } }

  /// RFC 1321 appendix A.5.
  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
  ])
  func md5(_ text: String, _ digest: String) throws {
    #expect(try Hex.encode(Digest.md5(Array(text.utf8))) == digest)
  }

  /// FIPS 180-4, examples of NIST.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func sha256(_ text: String, _ digest: String) throws {
    #expect(try Hex.encode(Digest.sha256(Array(text.utf8))) == digest)
  }

  /// RFC 4231 test cases 1, 2 and 6.
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0B, count: 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ])
  func hmac(_ key: [UInt8], _ message: String, _ code: String) throws {
    let key = key.withUnsafeBytes { SecretBytes(copying: $0) }
    #expect(try hex(Digest.hmacSHA256(Array(message.utf8), key: key)) == code)
  }

  /// RFC 3720 appendix B.4, and the check value of the CRC catalogue.
  @Test(
    arguments: [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      (Array(0..<32), 0x46DD_794E), (Array("123456789".utf8), 0xE306_9283), ([], 0),
    ] as [([UInt8], UInt32)])
  func crc32c(_ bytes: [UInt8], _ checksum: UInt32) {
    #expect(CRC32C.checksum(bytes) == checksum)
  }

  /// RFC 4648 section 10, without padding; the last two have the characters that differ.
  @Test(arguments: [
    ("", ""), ("66", "Zg"), ("666f", "Zm8"), ("666f6f", "Zm9v"), ("fbff", "-_8"), ("fffefd", "__79"),
  ])
  func base64URL(_ hex: String, _ text: String) throws {
    let bytes = try #require(Hex.decode(hex))
    #expect(Base64URL.encode(bytes) == text)
    #expect(Base64URL.decode(text) == bytes)
  }

  @Test(arguments: ["Zg==", "Z", "+/8", "Zh", "Zm 8"])
  func whatIsNoBase64URLIsRefused(_ text: String) { #expect(Base64URL.decode(text) == nil) }
}
