internal import FieldCrypto
internal import HTTPClient

/// A JSON object with one secret member, built without a string of it, for the body of a request.
///
/// Members other than the secret one have values that need no escaping: base64, decimal numbers, key names that
/// the drivers have checked.
struct SecretDocument {
  private let open: String
  private let close = "\"}"

  /// `{"<name>": "<text>", …, "<secretMember>": "…"}`.
  init(_ members: KeyValuePairs<String, String>, secretMember: String) {
    let plain = members.map { "\"\($0.key)\":\"\($0.value)\"," }.joined()
    open = "{\(plain)\"\(secretMember)\":\""
  }

  /// The document with the secret in it. The body is wiped when the last reference to it goes.
  func body(_ secret: SecretBytes, _ encoding: SecretEncoding = .base64) -> HTTPBody {
    let text = encoding.text(of: secret)
    let end = open.utf8.count + text.count
    let document = SecretBytes(capacity: end + close.utf8.count) { memory in
      UnsafeMutableRawBufferPointer(rebasing: memory[..<open.utf8.count]).copyBytes(from: open.utf8)
      text.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: memory[open.utf8.count..<end]).copyMemory(from: $0)
      }
      UnsafeMutableRawBufferPointer(rebasing: memory[end...]).copyBytes(from: close.utf8)
      return memory.count
    }
    return document.withUnsafeBytes { HTTPBody(copying: $0) }
  }
}
