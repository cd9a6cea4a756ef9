internal import KeyManagement

extension APIError {
  /// `name` is that of a KEK, or the subject of a DEK.
  static func keyNotFound(_ name: String) -> APIError { APIError(40470, "Key '\(name)' not found") }

  static func keyNotSoftDeleted(_ name: String) -> APIError {
    APIError(40471, "Key '\(name)' was not deleted first before being permanently deleted")
  }

  static func keyMustBeUndeleted(_ name: String) -> APIError {
    APIError(40472, "Key '\(name)' must be undeleted first")
  }

  static func keyExists(_ name: String) -> APIError {
    APIError(40971, "Key '\(name)' already exists; use a different value")
  }

  static func tooManyKeys(_ maximum: Int) -> APIError {
    APIError(40972, "A maximum of \(maximum) keys already exist")
  }

  static func invalidKeyField(_ field: String) -> APIError {
    APIError(42271, "Invalid or missing value for field '\(field)' of key")
  }

  static func keyReferenced(_ name: String) -> APIError {
    APIError(42272, "One or more references exist to the key '\(name)'")
  }

  /// What the key management service said, in the words of the genuine server where it has some.
  static func service(_ attempt: SharedKey.Attempt, subject: String, _ error: KMSError) -> APIError {
    let why =
      switch error.reason {
      case .unknownType: "No KMS driver supports: \(error.keyURL)"
      case .doesNotUnwrap: "Tag mismatch!"
      // A driver names the trouble first and the remedy after the colon.
      case .configuration: String(error.detail.prefix { $0 != ":" })
      default: error.detail
      }
    let code = error.reason == .denied ? 40370 : 50070
    return APIError(code, "Could not generate \(attempt.rawValue) dek for \(subject): \(why)")
  }
}
