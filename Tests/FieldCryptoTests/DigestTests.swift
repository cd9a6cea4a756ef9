import FieldCrypto
import Testing

struct DigestTests {
  /// RFC 1321, appendix A.5.
  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
  ])
  func md5(_ text: String, _ digest: String) throws {
    #expect(try Hex.encode(Digest.md5(Array(text.utf8))) == digest)
  }
}
