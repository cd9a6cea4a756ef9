internal import Glibc

/// One growing block of memory that is overwritten before it is given back: when it ends, and when it grows.
///
/// `Sendable` without a lock: a noncopyable value has one holder, and the block belongs to the value alone.
struct WipedMemory: ~Copyable, @unchecked Sendable {
  typealias Release = @Sendable (UnsafeMutableRawBufferPointer) -> Void

  private var block: UnsafeMutableRawBufferPointer
  private(set) var count = 0
  private let release: Release

  /// `release` gets the block back, already wiped; tests look at it there.
  init(capacity: Int = 0, release: @escaping Release = { $0.deallocate() }) {
    block = .allocate(byteCount: capacity, alignment: 16)
    self.release = release
  }

  deinit {
    Self.wipe(block)
    release(block)
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count > block.count - count { grow(toHold: count + bytes.count) }
    UnsafeMutableRawBufferPointer(rebasing: block[count...]).copyMemory(from: bytes)
    count += bytes.count
  }

  func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(rebasing: block[0..<count]))
  }

  /// Doubles, so that a body that arrives in pieces is copied a bounded number of times.
  private mutating func grow(toHold needed: Int) {
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(needed, block.count * 2, 1_024), alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: block[0..<count]))
    Self.wipe(block)
    release(block)
    block = larger
  }

  /// Overwrites memory with zeros in a way the optimiser keeps.
  static func wipe(_ memory: UnsafeMutableRawBufferPointer) {
    guard let address = memory.baseAddress else { return }
    explicit_bzero(address, memory.count)
  }
}
