import Foundation

/// SplitMix64: small, and the same everywhere for a printed seed.
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// Begins anywhere and prints where, or there where `RESEAL_TEST_SEED` says.
  package init(for test: String = #function) { self.init(seed: Self.seed(for: test)) }

  /// A seed that is printed, or the one that `RESEAL_TEST_SEED` says.
  package static func seed(for test: String = #function) -> UInt64 {
    let given = ProcessInfo.processInfo.environment["RESEAL_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? .random(in: 0...UInt64.max)
    print("\(test): seed \(seed)")
    return seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  package mutating func next(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// These bytes, cut off anywhere, and up to three of them changed.
  package mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var damaged = Array(bytes.prefix(next(in: 0...bytes.count)))
    for _ in 0..<next(in: 0...3) where !damaged.isEmpty {
      damaged[next(in: 0...(damaged.count - 1))] = UInt8(next(in: 0...255))
    }
    return damaged
  }
}
