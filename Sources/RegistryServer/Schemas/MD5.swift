internal import Glibc

/// The MD5 digest (RFC 1321), for computing a schema's GUID as the genuine server does.
///
/// It identifies equal content among well-meaning users. Nothing secret hangs on it.
struct MD5 {
  private var message: [UInt8] = []

  mutating func update(_ bytes: some Sequence<UInt8>) { message.append(contentsOf: bytes) }

  /// Nothing is added for an absent text.
  mutating func update(_ text: String?) {
    if let text { update(text.utf8) }
  }

  /// The 16 bytes for everything added.
  func digest() -> [UInt8] {
    var padded = message
    padded.append(0x80)
    while padded.count % 64 != 56 { padded.append(0) }
    let bitCount = UInt64(message.count) * 8
    padded.append(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: bitCount >> ($0 * 8)) })

    var state: (UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
    for start in stride(from: 0, to: padded.count, by: 64) {
      let words = (0..<16).map { word in
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(padded[start + word * 4 + $1]) << UInt32($1 * 8) }
      }
      Self.mix(words, into: &state)
    }
    return [state.0, state.1, state.2, state.3].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
  }

  private static func mix(_ words: [UInt32], into state: inout (UInt32, UInt32, UInt32, UInt32)) {
    var (a, b, c, d) = state
    for step in 0..<64 {
      let (mixed, word) =
        switch step / 16 {
        case 0: (b & c | ~b & d, step)
        case 1: (b & d | c & ~d, (step * 5 + 1) % 16)
        case 2: (b ^ c ^ d, (step * 3 + 5) % 16)
        default: (c ^ (b | ~d), step * 7 % 16)
        }
      let sum = a &+ mixed &+ words[word] &+ constants[step]
      let turn = turns[step / 16][step % 4]
      (a, b, c, d) = (d, b &+ (sum << turn | sum >> (32 - turn)), b, c)
    }
    state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
  }

  /// Bits to rotate by, per round.
  private static let turns: [[UInt32]] = [
    [7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21],
  ]

  /// The first 32 fraction bits of the sines of 1 to 64.
  private static let constants: [UInt32] = (1...64).map { UInt32(abs(sin(Double($0))) * 4_294_967_296) }
}
