internal import FieldCrypto
internal import HTTPClient
internal import JSON

/// The operations of one key in a vault.
struct AzureVault: Sendable {
  let url: AzureKeyURL
  let client: ServiceClient
  let tokens: CredentialCache<String>

  private static let version = "api-version=7.4"

  /// The key as the vault describes it; `nil` when it may be used but not read.
  func description() async throws(ServiceFailure) -> AzureKeyDescription? {
    let target = "\(url.vault)/keys/\(url.name)/\(url.version ?? "")?\(Self.version)"
    do throws(ServiceFailure) {
      return try AzureKeyDescription(try await send(.get, target, nil).json())
    } catch {
      guard error.reason == .denied, !error.refusesCredential else { throw error }
      return nil
    }
  }

  /// Encryption by the vault, with its newest version of the key when the URL names none.
  func encrypt(_ secret: SecretBytes) async throws(ServiceFailure) -> (version: String, ciphertext: [UInt8]) {
    let body = SecretDocument(["alg": "RSA-OAEP-256"], secretMember: "value").body(secret, .base64URL)
    let answer = try await operate("encrypt", version: url.version ?? "", body)
    let members = try answer.json()
    guard let version = members["kid"]?.string?.split(separator: "/").last,
      let ciphertext = members["value"]?.string.flatMap({ Base64URL.decode($0) }), !ciphertext.isEmpty
    else { throw ServiceFailure(.malformedAnswer, "the answer has no ciphertext") }
    return (String(version), ciphertext)
  }

  func decrypt(_ ciphertext: [UInt8], version: String) async throws(ServiceFailure) -> SecretBytes {
    guard !ciphertext.isEmpty else { throw ServiceFailure(.doesNotUnwrap, "the wrapped key is empty") }
    let body: JSONValue = ["alg": "RSA-OAEP-256", "value": .string(Base64URL.encode(ciphertext))]
    do throws(ServiceFailure) {
      return try await operate("decrypt", version: version, HTTPBody(utf8: body.serialized()))
        .secret("value", decoding: .base64URL)
    } catch {
      // The vault calls it a bad parameter.
      guard error.reason == .configuration else { throw error }
      throw ServiceFailure(.doesNotUnwrap, error.detail)
    }
  }

  private func operate(
    _ operation: String, version: String, _ body: HTTPBody
  ) async throws(ServiceFailure) -> ServiceAnswer {
    try await send(.post, "\(url.vault)/keys/\(url.name)/\(version)/\(operation)?\(Self.version)", body)
  }

  private func send(
    _ method: HTTPRequest.Method, _ target: String, _ body: HTTPBody?
  ) async throws(ServiceFailure) -> ServiceAnswer {
    try await tokens.using { (token) async throws(ServiceFailure) in
      var headers: HTTPHeaders = ["Accept": "application/json", "Authorization": "Bearer \(token)"]
      if body != nil { headers.append("Content-Type", "application/json") }
      let answer = try await client.send(HTTPRequest(method, target, headers: headers, body: body))
      guard answer.isSuccess else { throw Self.failure(answer) }
      return answer
    }
  }

  private static func failure(_ answer: ServiceAnswer) -> ServiceFailure {
    let error = answer.problem["error"]
    let inner = error?["innererror"]?["code"]?.string
    let isUnusable = answer.status == 409 || inner.map(unusable.contains) ?? false
    var failure = answer.failure(
      isUnusable ? .keyUnavailable : nil, code: inner ?? error?["code"]?.string,
      message: error?["message"]?.string)
    failure.refusesCredential = answer.status == 401
    return failure
  }

  private static let unusable: Set = ["KeyDisabled", "KeyExpired", "KeyNotYetValid", "ObjectIsBeingDeleted"]
}

/// A public key and what the vault says about its use.
struct AzureKeyDescription {
  /// The last part of the key's identifier.
  let version: String
  private let value: JSONValue

  init(_ value: JSONValue) throws(ServiceFailure) {
    guard let version = value["key"]?["kid"]?.string?.split(separator: "/").last, WebText.isPlain(version)
    else { throw ServiceFailure(.malformedAnswer, "the answer is no description of a key") }
    self.version = String(version)
    self.value = value
  }

  /// The key to wrap with. What the vault would refuse is refused here, as it is not asked.
  func publicKey(now: Int64) throws(ServiceFailure) -> RSAPublicKey {
    let key = value["key"]
    let attributes = value["attributes"]
    guard key?["kty"]?.string == "RSA" || key?["kty"]?.string == "RSA-HSM" else {
      throw ServiceFailure(.configuration, "the vault's key is no RSA key")
    }
    let isValid =
      Int64(attributes?["nbf"]?.integer ?? 0) <= now
      && now < attributes?["exp"]?.integer.map(Int64.init) ?? .max
    guard attributes?["enabled"]?.bool != false, isValid else {
      throw ServiceFailure(.keyUnavailable, "the vault's key is disabled, expired or not yet valid")
    }
    let operations = key?["key_ops"]?.array?.compactMap(\.string)
    guard operations?.contains("encrypt") != false else {
      throw ServiceFailure(.keyUnavailable, "the vault's key may not encrypt")
    }
    guard let modulus = key?["n"]?.string.flatMap({ Base64URL.decode($0) }),
      let exponent = key?["e"]?.string.flatMap({ Base64URL.decode($0) })
    else { throw ServiceFailure(.malformedAnswer, "the vault's key has no modulus or exponent") }
    do throws(CryptoError) {
      return try RSAPublicKey(modulus: modulus, exponent: exponent)
    } catch {
      throw ServiceFailure(.malformedAnswer, "\(error)")
    }
  }
}
