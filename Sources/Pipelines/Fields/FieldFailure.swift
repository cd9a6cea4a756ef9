package import KeyManagement

/// Why a field was not sealed or opened. Names keys and types, never the value.
package enum FieldFailure: Error, CustomStringConvertible {
  /// Not a failure yet: this key must be looked for first.
  case needsKey(KeyName)
  /// Not a failure yet: how many versions this DEK has must be looked up first.
  case needsVersions(KeyFamilyIdentity)
  /// A key that is needed cannot be had.
  case keyUnavailable(KeyError)
  /// A sealed value was expected, and this cannot be one.
  case notSealed
  /// Sealed under a key that is none of those it may be sealed under, or damaged.
  case doesNotOpen
  /// Sealed, but not under the key it should be sealed under.
  case foreign(KeyName)
  /// Sealed more often than any rules at hand seal, once more under this key.
  case sealedDeeper(KeyName)
  /// It may be sealed or may be plaintext; a key that would tell cannot be had.
  case undecidable(KeyError)
  /// The key has sealed as much as AES-GCM allows one key.
  case usedUp(KeyName, UseBudget.Exhaustion)
  /// The field's type cannot be sealed.
  case unsupportedType(String)
  /// libcrypto failed.
  case crypto(String)

  package var description: String {
    switch self {
    case .needsKey(let name): "the key \(name) was not looked for"
    case .needsVersions(let family): "the versions of \(family) were not looked for"
    case .keyUnavailable(let error): "\(error)"
    case .notSealed: "the value is not sealed: it is too short or no base64"
    case .doesNotOpen: "the value does not open under any version of the key it should be sealed under"
    case .foreign(let name): "the value is sealed already, under another key: \(name)"
    case .sealedDeeper(let name):
      "the value is sealed in more layers than its rules put on, and one of those inside is of \(name)"
    case .undecidable(let error):
      "the value may be sealed already, and the key that would tell is not at hand: \(error)"
    case .usedUp(let name, let exhaustion):
      "the key \(name) has sealed as many values as AES-GCM allows one key; "
        + (exhaustion == .newVersionNeeded
          ? "it needs a new version"
          : "its rule has no versions, so name a new KEK in it, or add encrypt.dek.expiry.days")
    case .unsupportedType(let type): "a value of type \(type) cannot be sealed"
    case .crypto(let detail): detail
    }
  }
}
