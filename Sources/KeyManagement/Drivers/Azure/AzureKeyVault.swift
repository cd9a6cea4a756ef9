internal import FieldCrypto
internal import HTTPClient
internal import JSON

/// `azure-kms`: an RSA key in Azure Key Vault or Managed HSM (specification section G.3).
///
/// Wrapped bytes are the RSA-OAEP-256 ciphertext, as long as the modulus; with the property
/// `encrypt.azure.key.version.save=true` preceded by the key's version, see ``AzureVersionPrefix``.
/// ``AzureIdentity`` tells where tokens come from.
package struct AzureKeyVault: KMSDriver {
  package static let type = "azure-kms"

  private let host: Host
  private let clients = ServiceClient.Pool()

  package init(environment: [String: String]) { host = Host(environment) }

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    try blaming(Self.type, keyID) { () throws(ServiceFailure) in
      let url = try AzureKeyURL(keyID)
      var connection = host.connection
      let client = try clients.client(connection)
      connection.isLocal = true
      let tokens = AzureTokens(
        identity: try AzureIdentity(properties, host: host), resource: url.resource, host: host,
        client: client, localClient: try clients.client(connection))
      return AzureKey(
        keyID: keyID, vault: AzureVault(url: url, client: client, tokens: tokens.cache()),
        savesVersion: properties["encrypt.azure.key.version.save"]?.lowercased() == "true")
    }
  }
}

private struct AzureKey: KeyEncryptionKey {
  let keyID: String
  let vault: AzureVault
  let savesVersion: Bool

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try await blaming(AzureKeyVault.type, keyID) { () async throws(ServiceFailure) in
      let (version, ciphertext) = try await encrypt(dataKey)
      return savesVersion ? try AzureVersionPrefix.adding(version, to: ciphertext) : ciphertext
    }
  }

  /// With the public key, or by the vault where the key may be used but not read.
  private func encrypt(
    _ dataKey: SecretBytes
  ) async throws(ServiceFailure) -> (version: String, ciphertext: [UInt8]) {
    guard let key = try await vault.description() else { return try await vault.encrypt(dataKey) }
    let publicKey = try key.publicKey(now: Host.now())
    do throws(CryptoError) {
      return (key.version, try publicKey.encryptOAEP256(dataKey))
    } catch {
      throw ServiceFailure(error)
    }
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await blaming(AzureKeyVault.type, keyID) { () async throws(ServiceFailure) in
      if let (version, ciphertext) = try AzureVersionPrefix.split(wrapped) {
        return try await vault.decrypt(ciphertext, version: version)
      }
      if let version = vault.url.version { return try await vault.decrypt(wrapped, version: version) }
      // The vault takes its newest version when none is named.
      return try await vault.decrypt(wrapped, version: try await vault.description()?.version ?? "")
    }
  }
}
