/// A data encryption key in the form the DEK Registry and the KMS hold it: a serialized Tink key.
///
/// `AesGcmKey { version = 1, key_value = 3 }` or `AesSivKey { version = 1, key_value = 2 }`, in Protobuf
/// binary (specification section E.4). Version 0 may be absent or written out; unknown fields are ignored.
package struct KeyMaterial: Sendable {
  /// The cipher the key is for.
  package enum Cipher: Sendable {
    case gcm
    case siv
  }

  package let cipher: Cipher
  /// The bare key: 16 or 32 bytes for GCM; 64 for SIV, of which the first half authenticates.
  package let key: SecretBytes

  /// Reads a serialized key. Throws ``CryptoError/malformedKey(_:)``.
  package init(serialized: UnsafeRawBufferPointer, for algorithm: DEKAlgorithm) throws(CryptoError) {
    var reader = TinkKeyReader(bytes: serialized)
    try self.init(bareKey: reader.key(field: algorithm == .aes256SIV ? 2 : 3), for: algorithm)
  }

  /// Takes a bare key over. Throws ``CryptoError/malformedKey(_:)`` when its length is wrong.
  package init(bareKey: SecretBytes, for algorithm: DEKAlgorithm) throws(CryptoError) {
    cipher = algorithm == .aes256SIV ? .siv : .gcm
    key = bareKey
    let allowed = cipher == .siv ? [64] : [16, 32]
    guard allowed.contains(key.count) else {
      throw .malformedKey("\(key.count) bytes cannot be an \(algorithm.rawValue) key")
    }
  }

  /// A new random key.
  package init(generatedFor algorithm: DEKAlgorithm) throws(CryptoError) {
    cipher = algorithm == .aes256SIV ? .siv : .gcm
    key = try SecretBytes.random(count: algorithm.keyCount)
  }

  /// What a KMS wraps: field tag, one length byte, key.
  package var serialized: SecretBytes {
    SecretBytes(capacity: key.count + 2) { memory in
      memory[0] = cipher == .siv ? 0x12 : 0x1A
      memory[1] = UInt8(key.count)
      key.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[2...]).copyMemory(from: $0) }
      return memory.count
    }
  }
}

/// Just enough Protobuf to read a two-field message without trusting a byte of it.
private struct TinkKeyReader {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func key(field keyField: UInt64) throws(CryptoError) -> SecretBytes {
    var key: SecretBytes?
    while position < bytes.count {
      let tag = try varint()
      switch (tag >> 3, tag & 7) {
      case (1, 0):
        guard try varint() == 0 else { throw .malformedKey("unknown key version") }
      case (keyField, 2): key = SecretBytes(copying: try lengthDelimited())
      case (0, _): throw .malformedKey("field number 0")
      case (_, 0): _ = try varint()
      case (_, 1): _ = try take(8)
      case (_, 2): _ = try lengthDelimited()
      case (_, 5): _ = try take(4)
      default: throw .malformedKey("unknown wire type")
      }
    }
    guard let key else { throw .malformedKey("no key value") }
    return key
  }

  private mutating func varint() throws(CryptoError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard position < bytes.count else { throw .malformedKey("truncated") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw .malformedKey("overlong number")
  }

  private mutating func lengthDelimited() throws(CryptoError) -> UnsafeRawBufferPointer {
    let count = try varint()
    guard count <= UInt64(bytes.count) else { throw .malformedKey("truncated") }
    return try take(Int(count))
  }

  private mutating func take(_ count: Int) throws(CryptoError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - position else { throw .malformedKey("truncated") }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }
}
