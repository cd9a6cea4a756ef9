/// Which version of its key a key management service wrapped something with, as far as the wrapped bytes tell.
///
/// Vault writes `vault:v<n>:` in front (specification section G.5), Azure's clients `azure:v1:<32 hex digits>:`
/// where they are told to (G.3). Others say nothing.
enum WrappingVersion {
  /// `nil` when the bytes do not tell.
  static func read(_ wrapped: [UInt8]) -> String? {
    // Split as bytes: what follows may be anything, also what would join a colon in one character.
    let parts = wrapped.prefix(64).split(
      separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false
    ).map { String(decoding: $0, as: UTF8.self) }
    guard parts.count >= 3 else { return nil }
    if parts[0] == "vault", parts[1].first == "v", parts[1].count > 1,
      parts[1].dropFirst().allSatisfy(\.isNumber)
    {
      return parts[1]
    }
    let isAzure = parts.count == 4 && parts[0] == "azure" && parts[1] == "v1" && parts[2].utf8.count == 32
    return isAzure && parts[2].allSatisfy(\.isHexDigit) ? parts[2] : nil
  }
}

extension DEK {
  /// The version of its KEK's key that wrapped it, where the service's wrapped bytes tell.
  package var wrappingVersion: String? { WrappingVersion.read(wrapped) }
}
