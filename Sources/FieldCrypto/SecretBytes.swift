internal import COpenSSL

/// Bytes that must not outlive their use: wiped when the last reference goes, never printed.
///
/// Lent only inside a closure; whoever copies them out owns the copy's end.
package final class SecretBytes: @unchecked Sendable, CustomStringConvertible {
  // Sendable: the memory is written only during initialisation, before the object can be shared, and in
  // `deinit`, when nobody else holds it.
  private let memory: UnsafeMutableRawBufferPointer

  /// `body` fills the memory, zeroed beforehand, and returns how many bytes of it hold the secret.
  package init<Failure: Error>(
    capacity: Int,
    initializingWith body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    do {
      let count = try body(buffer)
      precondition(count >= 0 && count <= capacity, "a secret cannot exceed its memory")
      allocation = buffer
      memory = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count])
    } catch {
      OPENSSL_cleanse(buffer.baseAddress, capacity)
      buffer.deallocate()
      throw error
    }
  }

  private let allocation: UnsafeMutableRawBufferPointer

  package convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(capacity: bytes.count) { memory in
      memory.copyMemory(from: bytes)
      return bytes.count
    }
  }

  package convenience init(utf8 text: String) {
    var text = text
    self.init(capacity: text.utf8.count) { memory in
      text.withUTF8 { memory.copyBytes(from: $0) }
      return memory.count
    }
  }

  /// Bytes from the operating system's generator by way of libcrypto.
  package static func random(count: Int) throws(CryptoError) -> SecretBytes {
    try SecretBytes(capacity: count) { (memory) throws(CryptoError) -> Int in
      guard RAND_priv_bytes(memory.bindMemory(to: UInt8.self).baseAddress, Int32(count)) == 1 else {
        throw .libcrypto("RAND_priv_bytes")
      }
      return count
    }
  }

  deinit {
    OPENSSL_cleanse(allocation.baseAddress, allocation.count)
    allocation.deallocate()
  }

  package var count: Int { memory.count }

  package func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(memory))
  }

  /// Takes a time that does not depend on where they differ.
  package func isEqual(to other: SecretBytes) -> Bool {
    count == other.count && CRYPTO_memcmp(memory.baseAddress, other.memory.baseAddress, count) == 0
  }

  package var description: String { "SecretBytes(\(count))" }
}

/// Overwrites memory in a way the optimiser keeps.
package func wipe(_ memory: UnsafeMutableRawBufferPointer) {
  OPENSSL_cleanse(memory.baseAddress, memory.count)
}
