/// Memory that one record's output is assembled in, kept from record to record so that none is allocated in
/// steady state. Not `Sendable`: each engine has its own.
///
/// No access to the properties overlaps another: an arena is used by one thread, and no method lends a property to
/// code of others. Checking that at run time takes as long as the short appends that records are made of, which other
/// modules inline.
package final class ByteArena {
  @exclusivity(unchecked) @usableFromInline var memory: UnsafeMutableRawPointer
  @exclusivity(unchecked) @usableFromInline var capacity: Int
  @exclusivity(unchecked) @usableFromInline var filled = 0

  package init(capacity: Int = 16 * 1024) {
    self.capacity = max(capacity, 64)
    memory = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { memory.deallocate() }

  package internal(set) var count: Int {
    @inlinable get { filled }
    set { filled = newValue }
  }

  /// What has been assembled so far. Valid until the arena is next changed.
  @inlinable package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory, count: filled)
  }

  @inlinable package func removeAll() { filled = 0 }

  /// Drops everything from `count` on.
  @inlinable package func truncate(to count: Int) { filled = min(filled, max(count, 0)) }

  @inlinable package func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    room(for: bytes.count).copyMemory(from: start, byteCount: bytes.count)
    filled += bytes.count
  }

  @inlinable package func append(_ byte: UInt8) {
    room(for: 1).storeBytes(of: byte, as: UInt8.self)
    filled += 1
  }

  /// At least `count` bytes of uninitialised room at the end, valid until the arena is next changed.
  /// ``advance(by:)`` then says how many of them were filled.
  @inlinable package func room(for count: Int) -> UnsafeMutableRawPointer {
    reserve(count)
    return memory + filled
  }

  /// Makes `count` bytes, filled in the ``room(for:)`` asked for before, part of the arena.
  @inlinable package func advance(by count: Int) {
    precondition(count >= 0 && count <= capacity - filled, "no more can be filled than there was room for")
    filled += count
  }

  /// Appends `count` bytes of any value, to be given one by ``replace(_:at:with:)``.
  func appendGap(_ count: Int) {
    reserve(count)
    self.count += count
  }

  /// Puts `bytes` in the place of the `removed` bytes at `position`; what follows moves as far as it must.
  func replace(_ removed: Int, at position: Int, with bytes: UnsafeRawBufferPointer) {
    precondition(
      removed >= 0 && position >= 0 && position <= count - removed, "what is replaced is inside the arena")
    guard let start = bytes.baseAddress else { return }
    reserve(bytes.count)
    if bytes.count != removed {
      let rest = position + removed
      (memory + position + bytes.count).copyMemory(from: memory + rest, byteCount: count - rest)
      count += bytes.count - removed
    }
    (memory + position).copyMemory(from: start, byteCount: bytes.count)
  }

  /// Moves everything from `position` on up by `inserted.count` bytes and puts `inserted` there.
  func insert(_ inserted: UnsafeRawBufferPointer, at position: Int) {
    replace(0, at: position, with: inserted)
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

  @inlinable func reserve(_ added: Int) {
    if added > capacity - filled { grow(added) }
  }

  @usableFromInline func grow(_ added: Int) {
    let wanted = max(capacity * 2, count + added)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
    larger.copyMemory(from: memory, byteCount: count)
    memory.deallocate()
    memory = larger
    capacity = wanted
  }
}
