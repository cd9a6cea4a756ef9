/// 128 bits that stand for a record key. Nobody who does not know the hasher's key can find two keys with the same one.
package struct KeyHash: Hashable, Sendable {
  package let low: UInt64
  package let high: UInt64

  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }
}

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and their reference
/// implementation for the longer output), under a key that is drawn for each process and never leaves it.
package struct KeyHasher: Sendable {
  private let first: UInt64
  private let second: UInt64

  package init() { self.init(first: .random(in: .min ... .max), second: .random(in: .min ... .max)) }

  /// With a given key, as two little-endian halves; for tests.
  package init(first: UInt64, second: UInt64) {
    self.first = first
    self.second = second
  }

  package func hash(_ bytes: UnsafeRawBufferPointer) -> KeyHash {
    var state = SipState(first, second)
    let tail = bytes.count & ~7
    for start in stride(from: 0, to: tail, by: 8) {
      state.compress(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for index in tail..<bytes.count { last |= UInt64(bytes[index]) << UInt64((index - tail) * 8) }
    state.compress(last)
    return KeyHash(low: state.finish(0xEE, over: \.v2), high: state.finish(0xDD, over: \.v1))
  }
}

private struct SipState {
  private var v0: UInt64
  var v1: UInt64
  var v2: UInt64
  private var v3: UInt64

  init(_ first: UInt64, _ second: UInt64) {
    v0 = first ^ 0x736F_6D65_7073_6575
    // The 0xEE asks for 128 bits.
    v1 = second ^ 0x646F_7261_6E64_6F6D ^ 0xEE
    v2 = first ^ 0x6C79_6765_6E65_7261
    v3 = second ^ 0x7465_6462_7974_6573
  }

  mutating func compress(_ word: UInt64) {
    v3 ^= word
    for _ in 0..<2 { round() }
    v0 ^= word
  }

  mutating func finish(_ mark: UInt64, over lane: WritableKeyPath<SipState, UInt64>) -> UInt64 {
    self[keyPath: lane] ^= mark
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }

  private mutating func round() {
    v0 &+= v1
    v1 = Self.rotated(v1, 13) ^ v0
    v0 = Self.rotated(v0, 32)
    v2 &+= v3
    v3 = Self.rotated(v3, 16) ^ v2
    v0 &+= v3
    v3 = Self.rotated(v3, 21) ^ v0
    v2 &+= v1
    v1 = Self.rotated(v1, 17) ^ v2
    v2 = Self.rotated(v2, 32)
  }

  private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
}
