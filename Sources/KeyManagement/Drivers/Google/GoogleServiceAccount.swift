internal import FieldCrypto
internal import JSON

/// A service account and its key, which signs for a token (RFC 7523).
struct GoogleServiceAccount: Sendable {
  static let usualTokenURI = "https://oauth2.googleapis.com/token"

  let email: String
  let keyID: String
  let key: RSAPrivateKey
  let tokenURI: String

  /// - Parameter privateKey: PEM, with line breaks or with `\n` in their place.
  init(email: String, keyID: String, privateKey: String, tokenURI: String?) throws(ServiceFailure) {
    self.email = email
    self.keyID = keyID
    self.tokenURI = tokenURI ?? Self.usualTokenURI
    do throws(CryptoError) {
      key = try RSAPrivateKey(pem: SecretBytes(utf8: privateKey.replacing("\\n", with: "\n")))
    } catch {
      throw ServiceFailure(.configuration, "the service account's private key cannot be used: \(error)")
    }
  }

  /// Google's token service goes by one name at all its addresses. Anybody else's must not get an assertion that
  /// could be taken to Google's.
  private var audience: String {
    let parts = tokenURI.split(separator: "/", omittingEmptySubsequences: false)
    let isGoogles = parts.count > 3 && parts[0] == "https:" && parts[2].hasSuffix(".googleapis.com")
    return isGoogles ? Self.usualTokenURI : tokenURI
  }

  /// A JSON Web Token, signed with RS256, that asks for an hour of `scope`.
  ///
  /// - Parameter now: seconds since 1970.
  func assertion(scope: String, now: Int64) throws(ServiceFailure) -> String {
    let header: JSONValue = ["alg": "RS256", "typ": "JWT", "kid": .string(keyID)]
    let claims: JSONValue = [
      "iss": .string(email), "scope": .string(scope), "aud": .string(audience), "iat": JSONValue(Int(now)),
      "exp": JSONValue(Int(now + 3_600)),
    ]
    let text = [header, claims].map { Base64URL.encode(Array($0.serialized().utf8)) }.joined(separator: ".")
    do throws(CryptoError) {
      return "\(text).\(Base64URL.encode(try key.signRS256(Array(text.utf8))))"
    } catch {
      throw ServiceFailure(error)
    }
  }
}
