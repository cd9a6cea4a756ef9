/// How long and how much a key ring remembers, under the names of Confluent's clients (specification E.1).
package struct KeyRingSettings: Sendable, Hashable {
  /// Milliseconds after which an answer is looked for again; `nil` for never. `cache.expiry.secs`, where a
  /// negative number (the default is -1) means never.
  package private(set) var expiry: Int64?
  /// KEKs, DEKs and sealing keys kept, each: `cache.size`, 10,000 unless it is given.
  package private(set) var capacity = 10_000
  /// Milliseconds for which a KEK, or a DEK, that was not there is not asked for again:
  /// `missing.kek.cache.ttl.sec` and `missing.dek.cache.ttl.sec`, 0 unless they are given.
  package private(set) var missingKEKTime: Int64 = 0
  package private(set) var missingDEKTime: Int64 = 0

  /// Reads executor parameters. Throws ``KeyError/Reason/misconfigured`` for one that is no number it can be.
  package init(_ properties: [String: String] = [:]) throws(KeyError) {
    if let seconds = try Self.number("cache.expiry.secs", in: properties, from: Int64.min) {
      expiry = seconds < 0 ? nil : seconds * 1_000
    }
    if let size = try Self.number("cache.size", in: properties, from: 1) { capacity = Int(size) }
    missingKEKTime = try (Self.number("missing.kek.cache.ttl.sec", in: properties, from: 0) ?? 0) * 1_000
    missingDEKTime = try (Self.number("missing.dek.cache.ttl.sec", in: properties, from: 0) ?? 0) * 1_000
  }

  /// When an answer that came at `time` (milliseconds) is to be looked for again.
  func end(from time: Int64) -> Int64 { expiry.map { time + $0 } ?? .max }

  /// Bounded, so that no sum of times overflows: a thousand years are as good as for ever.
  private static let most: Int64 = 31_536_000_000

  private static func number(
    _ name: String, in properties: [String: String], from least: Int64
  ) throws(KeyError) -> Int64? {
    guard let text = properties[name], !text.isEmpty else { return nil }
    guard let number = Int64(text), number >= least, number <= most else {
      throw KeyError(.misconfigured, name, "must be a whole number from \(max(least, -1)) to \(most)")
    }
    return number
  }
}
