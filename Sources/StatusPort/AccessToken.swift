/// A shared secret that lets its bearer in (RFC 6750). Prints as nothing of itself.
package struct AccessToken: Sendable, CustomStringConvertible {
  /// Fewer characters could be guessed.
  package static let minimumCount = 16
  package static let maximumCount = 512

  private let bytes: [UInt8]

  /// `nil` when the text is too short, too long, or holds what a header cannot (RFC 6750 section 2.1: letters,
  /// digits and `-._~+/=`).
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard (Self.minimumCount...Self.maximumCount).contains(bytes.count),
      bytes.allSatisfy({ byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._~+/=".utf8.contains(byte)
      })
    else { return nil }
    self.bytes = bytes
  }

  /// The value of an `Authorization` header.
  package var authorization: String { "Bearer " + String(decoding: bytes, as: UTF8.self) }

  /// Whether an `Authorization` header carries this token. Takes as long whichever byte is wrong.
  package func isCarried(by authorization: String) -> Bool {
    let scheme = "bearer "
    guard authorization.prefix(scheme.count).lowercased() == scheme else { return false }
    let given = Array(authorization.dropFirst(scheme.count).utf8)
    var difference = given.count ^ bytes.count
    for index in bytes.indices {
      difference |= Int(bytes[index] ^ (index < given.count ? given[index] : 0))
    }
    return difference == 0
  }

  package var description: String { "AccessToken" }
}
