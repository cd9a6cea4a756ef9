/// Which version of its key a key management service wrapped something with, as far as the wrapped bytes tell.
///
/// Vault writes `vault:v<n>:` in front (specification section G.5), Azure's clients `azure:v1:<32 hex digits>:`
/// where they are told to (G.3). Others say nothing.
enum WrappingVersion {
  /// `nil` when the bytes do not tell.
  static func read(_ wrapped: [UInt8]) -> String? {
    let text = String(decoding: wrapped.prefix(64), as: UTF8.self)
    let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
    if parts.count >= 3, parts[0] == "vault", parts[1].first == "v", parts[1].count > 1,
      parts[1].dropFirst().allSatisfy(\.isNumber)
    {
      return String(parts[1])
    }
    let isAzure = parts.count == 4 && parts[0] == "azure" && parts[1] == "v1" && parts[2].utf8.count == 32
    return isAzure && parts[2].allSatisfy(\.isHexDigit) ? String(parts[2]) : nil
  }
}

extension DEK {
  /// The version of its KEK's key that wrapped it, where the service's wrapped bytes tell.
  package var wrappingVersion: String? { WrappingVersion.read(wrapped) }
}
