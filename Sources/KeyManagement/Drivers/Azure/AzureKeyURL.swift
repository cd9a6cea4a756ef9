/// `https://<vault>/keys/<name>[/<version>]`.
struct AzureKeyURL: Sendable {
  /// `https://<vault>`.
  let vault: String
  /// The first label of its host.
  let vaultName: String
  let name: String
  let version: String?
  /// What a token must be for. It follows from the vault's name, `https://vault.azure.net` for
  /// `https://mine.vault.azure.net`, so a key id that names somebody else's host gets no token of the vault's.
  let resource: String

  init(_ keyID: String) throws(ServiceFailure) {
    let parts = keyID.split(separator: "/", omittingEmptySubsequences: false)
    let path = parts.dropFirst(3).filter { !$0.isEmpty }
    let host = parts.count > 2 ? parts[2] : ""
    guard parts.count > 3, parts[0] == "https:", parts[1].isEmpty, WebText.isPlain(host, others: ".-:"),
      let dot = host.firstIndex(of: "."), path.count == 2 || path.count == 3, path[0] == "keys",
      WebText.isPlain(host[..<dot], others: "-"),
      path.dropFirst().allSatisfy({ WebText.isPlain($0, others: "-") })
    else {
      throw ServiceFailure(
        .configuration, "the key id must have the form https://<vault>/keys/<name>[/<version>]")
    }
    vault = "https://\(host)"
    vaultName = String(host[..<dot])
    name = String(path[1])
    version = path.count == 3 ? String(path[2]) : nil
    resource = "https://\(host[host.index(after: dot)...])"
  }
}
