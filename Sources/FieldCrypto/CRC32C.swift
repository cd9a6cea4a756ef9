/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum that Google Cloud KMS answers with.
package enum CRC32C {
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    ~bytes.reduce(~0) { running, byte in table[Int((running ^ UInt32(byte)) & 0xFF)] ^ running >> 8 }
  }

  package static func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { checksum($0) } }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78 }
  }
}
