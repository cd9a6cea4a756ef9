/// Memory that one record's output is assembled in, kept from record to record so that none is allocated in
/// steady state. Not `Sendable`: each lane has its own.
///
/// No access to the properties overlaps another: an arena is used by one thread, and no method lends a property to
/// code of others. Checking that at run time takes as long as the short appends that records are made of.
package final class ByteArena {
  @exclusivity(unchecked) private var memory: UnsafeMutableRawPointer
  @exclusivity(unchecked) private var capacity: Int
  @exclusivity(unchecked) package private(set) var count = 0

  package init(capacity: Int = 16 * 1024) {
    self.capacity = max(capacity, 64)
    memory = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { memory.deallocate() }

  /// What has been assembled so far. Valid until the arena is next changed.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

  package func removeAll() { count = 0 }

  /// Drops everything from `count` on.
  package func truncate(to count: Int) { self.count = min(self.count, max(count, 0)) }

  package func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    append(start, count: bytes.count)
  }

  func append(_ start: UnsafeRawPointer, count added: Int) {
    reserve(added)
    (memory + count).copyMemory(from: start, byteCount: added)
    count += added
  }

  package func append(_ byte: UInt8) {
    reserve(1)
    memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  /// Lends `capacity` bytes of uninitialised room at the end; `body` returns how many of them it filled.
  package func append<Failure: Error>(
    capacity added: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) {
    reserve(added)
    let filled = try body(UnsafeMutableRawBufferPointer(start: memory + count, count: added))
    precondition(filled >= 0 && filled <= added, "no more can be filled than was lent")
    count += filled
  }

  /// Moves everything from `position` on up by `inserted.count` bytes and puts `inserted` there.
  func insert(_ inserted: UnsafeRawBufferPointer, at position: Int) {
    precondition(position >= 0 && position <= count, "insertion happens inside the arena")
    guard let start = inserted.baseAddress else { return }
    reserve(inserted.count)
    (memory + position + inserted.count).copyMemory(from: memory + position, byteCount: count - position)
    (memory + position).copyMemory(from: start, byteCount: inserted.count)
    count += inserted.count
  }

  /// Appends a copy of what stands at `range`.
  func appendCopy(of range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "what is copied is inside the arena")
    reserve(range.count)
    (memory + count).copyMemory(from: memory + range.lowerBound, byteCount: range.count)
    count += range.count
  }

  /// Takes `range` out; what follows moves down.
  func remove(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "what is removed is inside the arena")
    (memory + range.lowerBound)
      .copyMemory(from: memory + range.upperBound, byteCount: count - range.upperBound)
    count -= range.count
  }

  /// Adds `added` bytes of uninitialised room and lends everything from `position` on, that room included.
  func extend(from position: Int, by added: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    precondition(position >= 0 && position <= count && added >= 0, "what is extended is inside the arena")
    reserve(added)
    count += added
    body(UnsafeMutableRawBufferPointer(start: memory + position, count: count - position))
  }

  /// What has been assembled from `position` on. Valid until the arena is next changed.
  func bytes(from position: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[position...])
  }

  @inline(__always)
  private func reserve(_ added: Int) {
    if added > capacity - count { grow(added) }
  }

  private func grow(_ added: Int) {
    let wanted = max(capacity * 2, count + added)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
    larger.copyMemory(from: memory, byteCount: count)
    memory.deallocate()
    memory = larger
    capacity = wanted
  }
}
