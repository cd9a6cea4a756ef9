internal import COpenSSL

/// Random 12-byte initialisation vectors, drawn from libcrypto a block at a time.
///
/// One `RAND_bytes` of 12 bytes costs several AES-GCM operations; a block of 4,080 spreads that cost over
/// 340 vectors. Not `Sendable`: each engine has its own, so no vector is ever handed out twice.
package final class IVSource {
  package static let count = 12
  private static let blockCount = 340 * count

  private let block = UnsafeMutableRawPointer.allocate(byteCount: IVSource.blockCount, alignment: 16)
  @exclusivity(unchecked) private var position = IVSource.blockCount

  package init() {}

  deinit {
    wipe(UnsafeMutableRawBufferPointer(start: block, count: Self.blockCount))
    block.deallocate()
  }

  /// Twelve fresh random bytes at `destination`.
  func next(into destination: UnsafeMutableRawPointer) throws(CryptoError) {
    if position == Self.blockCount {
      guard RAND_bytes(block.assumingMemoryBound(to: UInt8.self), Int32(Self.blockCount)) == 1 else {
        throw .libcrypto("RAND_bytes")
      }
      position = 0
    }
    destination.copyMemory(from: block + position, byteCount: Self.count)
    position += Self.count
  }
}
