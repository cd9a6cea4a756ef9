internal import FieldCrypto

/// Collects what makes a schema this schema, and gives its GUID: the MD5 of all of it, shown as a UUID
/// (specification section B.3).
struct ContentDigest {
  private var message: [UInt8] = []

  mutating func update(_ bytes: some Sequence<UInt8>) { message.append(contentsOf: bytes) }

  /// Nothing is added for an absent text.
  mutating func update(_ text: String?) {
    if let text { update(text.utf8) }
  }

  /// Throws a 500 when libcrypto has no MD5, as in FIPS mode.
  func guid() throws(APIError) -> String {
    let digest: [UInt8]
    do { digest = try Digest.md5(message) } catch { throw APIError(500, "no GUID: \(error)") }
    let hex = Array(Hex.encode(digest))
    return [hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]].map { String($0) }
      .joined(separator: "-")
  }
}
