/// The five bytes before a ciphertext whose rule rotates its DEK: `00 ‖ version (4 bytes, big-endian)`.
///
/// Nothing in the bytes tells whether they are there: an unversioned ciphertext may begin with `00` too.
/// Only opening decides (specification section E.5).
package enum DEKVersionPrefix {
  package static let count = 5

  /// Writes the prefix of `version` to the first five bytes of `memory`, which must hold them.
  package static func write(_ version: Int32, to memory: UnsafeMutableRawBufferPointer) {
    memory[0] = 0
    memory.storeBytes(of: version.bigEndian, toByteOffset: 1, as: Int32.self)
  }

  /// The version a versioned reading of these bytes names; `nil` when they cannot be versioned.
  /// Versions start at 1.
  package static func read(_ sealed: UnsafeRawBufferPointer) -> Int32? {
    guard sealed.count >= count, sealed[0] == 0 else { return nil }
    let version = Int32(bigEndian: sealed.loadUnaligned(fromByteOffset: 1, as: Int32.self))
    return version > 0 ? version : nil
  }
}
