internal import COpenSSL

/// The memory that an operation of a cipher reads: addresses that are not followed, and mean nothing once the cipher is gone.
package struct CipherFootprint {
  /// Lines of 64 bytes that libcrypto's GCM mode takes, and AES with its key schedule, about.
  private static let lines = 7

  /// Lines that hold the cipher itself, with what belongs to it.
  private static let ownerLines = 3

  /// Who holds the cipher, once it is held where it stays.
  package var owner: UnsafeRawPointer?
  let mode: UnsafeRawPointer
  let state: UnsafeRawPointer
  let context: UnsafeRawPointer

  init(mode: UnsafeRawPointer, state: UnsafeRawPointer, context: UnsafeRawPointer) {
    (self.mode, self.state, self.context) = (mode, state, context)
  }

  /// Has the processor fetch all of it into its cache, meanwhile; an operation alone would wait for one part after the
  /// other.
  package func prefetch() {
    prefetch_lines(owner, Self.ownerLines)
    prefetch_lines(mode, Self.lines)
    prefetch_lines(state, 1)
    prefetch_lines(context, Self.lines)
  }
}
