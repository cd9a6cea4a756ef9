internal import FieldCrypto
internal import HTTPClient
internal import JSON

/// `hcvault`: a key of the transit engine of HashiCorp Vault or OpenBao (specification section G.5).
///
/// Wrapped bytes are the UTF-8 text `vault:v<n>:…` that the server answers with.
///
/// | property | environment | |
/// |---|---|---|
/// | `token.id` | `VAULT_TOKEN` | a token |
/// | `approle.role.id`, `approle.secret.id` | `VAULT_APPROLE_ROLE_ID`, `VAULT_APPROLE_SECRET_ID` | log in with both; they replace a token |
/// | `namespace` | `VAULT_NAMESPACE` | |
///
/// ``VaultConnection`` has the TLS settings.
package struct VaultTransit: KMSDriver {
  package static let type = "hcvault"

  private let host: Host
  private let clients = ServiceClient.Pool()

  package init(environment: [String: String]) { host = Host(environment) }

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    try blaming(Self.type, keyID) { () throws(ServiceFailure) in
      let connection = try VaultConnection(properties, host: host)
      let server = VaultServer(
        client: try clients.client(connection.http), url: try VaultKeyURL(keyID),
        namespace: host.setting("namespace", of: properties, or: "VAULT_NAMESPACE"))
      return VaultKey(
        keyID: keyID, server: server, tokens: try VaultLogin(properties, host: host).tokens(of: server))
    }
  }
}

/// `https://host:8200/<mount>/keys/<key>`, with a mount of any depth; `https://` may be left out.
struct VaultKeyURL {
  let address: String
  let mount: String
  let name: String

  init(_ keyID: String) throws(ServiceFailure) {
    let url = keyID.contains("://") ? keyID : "https://" + keyID
    let parts = url.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 6, parts[0] == "https:" || parts[0] == "http:", parts[1].isEmpty, !parts[2].isEmpty,
      parts[parts.count - 2] == "keys", parts[3...].allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
    else {
      throw ServiceFailure(
        .configuration, "the key id must have the form https://host:8200/<mount>/keys/<key>")
    }
    address = "\(parts[0])//\(parts[2])"
    mount = parts[3..<parts.count - 2].map(WebText.encoded).joined(separator: "/")
    name = WebText.encoded(parts[parts.count - 1])
  }
}

private struct VaultKey: KeyEncryptionKey {
  let keyID: String
  let server: VaultServer
  let tokens: CredentialCache<String>

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try await blaming(VaultTransit.type, keyID) { () async throws(ServiceFailure) in
      let body = SecretDocument([:], secretMember: "plaintext").body(dataKey)
      let answer = try await tokens.using { (token) async throws(ServiceFailure) in
        try await server.post("\(server.url.mount)/encrypt/\(server.url.name)", body, token: token)
      }
      let ciphertext = try answer.json()["data"]?["ciphertext"]?.string ?? ""
      guard Self.isCiphertext(Array(ciphertext.utf8)) else {
        throw ServiceFailure(.malformedAnswer, "the answer has no ciphertext")
      }
      return Array(ciphertext.utf8)
    }
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await blaming(VaultTransit.type, keyID) { () async throws(ServiceFailure) in
      guard Self.isCiphertext(wrapped) else {
        throw ServiceFailure(.doesNotUnwrap, "the wrapped key is no text of the form vault:v1:…")
      }
      let body = HTTPBody(utf8: "{\"ciphertext\":\"\(String(decoding: wrapped, as: UTF8.self))\"}")
      let answer = try await tokens.using { (token) async throws(ServiceFailure) in
        try await server.post("\(server.url.mount)/decrypt/\(server.url.name)", body, token: token)
      }
      return try answer.secret("data", "plaintext")
    }
  }

  private static func isCiphertext(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "vault:v".utf8)
      && WebText.isPlain(String(decoding: bytes, as: UTF8.self), others: ":+/=-_")
  }
}
