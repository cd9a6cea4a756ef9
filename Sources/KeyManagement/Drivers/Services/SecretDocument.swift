internal import FieldCrypto
internal import HTTPClient

/// A JSON object with one secret member, built without a string of it, for the body of a request.
///
/// Members other than the secret one have values that need no escaping: base64, decimal numbers, key names that
/// the drivers have checked.
struct SecretDocument {
  private let open: String
  private let close: String

  /// `{"<name>": "<text>", …, "<secretMember>": "…"}`.
  init(_ members: KeyValuePairs<String, String>, secretMember: String) {
    let plain = members.map { "\"\($0.key)\":\"\($0.value)\"," }.joined()
    open = "{\(plain)\"\(secretMember)\":\""
    close = "\"}"
  }

  /// The document with the secret in standard base64. The body is wiped when the last reference to it goes.
  func body(_ secret: SecretBytes) -> HTTPBody {
    let count = open.utf8.count + Base64.encodedCount(secret.count) + close.utf8.count
    let document = SecretBytes(capacity: count) { memory in
      let textStart = open.utf8.count
      let textEnd = textStart + Base64.encodedCount(secret.count)
      UnsafeMutableRawBufferPointer(rebasing: memory[..<textStart]).copyBytes(from: open.utf8)
      secret.withUnsafeBytes {
        Base64.encode($0, into: UnsafeMutableRawBufferPointer(rebasing: memory[textStart..<textEnd]))
      }
      UnsafeMutableRawBufferPointer(rebasing: memory[textEnd...]).copyBytes(from: close.utf8)
      return memory.count
    }
    return document.withUnsafeBytes { HTTPBody(copying: $0) }
  }
}
