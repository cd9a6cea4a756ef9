package import FieldCrypto
package import SchemaRegistry
internal import JSON

/// Which data encryption key: the registry's key for one.
package struct DEKIdentity: Sendable, Hashable, CustomStringConvertible {
  package let kek: String
  package let subject: Subject
  package let algorithm: DEKAlgorithm
  /// 1 and up. A rule without rotation always means version 1.
  package let version: Int32

  package init(kek: String, subject: Subject, algorithm: DEKAlgorithm, version: Int32) {
    self.kek = kek
    self.subject = subject
    self.algorithm = algorithm
    self.version = version
  }

  package var description: String { "\(kek)/\(subject)/\(algorithm.rawValue)/\(version)" }

  /// The version that comes after `version` of the same DEK.
  func next(after version: Int32) throws(KeyError) -> DEKIdentity {
    let (next, overflows) = version.addingReportingOverflow(1)
    guard !overflows else {
      throw KeyError(.damaged, self, "the registry names a version beyond which is none")
    }
    return DEKIdentity(kek: kek, subject: subject, algorithm: algorithm, version: next)
  }
}

/// A data encryption key as the DEK Registry holds it (specification section F.1).
package struct DEK: Sendable {
  package let identity: DEKIdentity
  /// What the KMS wrapped. Without it a DEK counts as absent, so one is never made without.
  package let wrapped: [UInt8]
  /// Unwrapped by the registry, for shared KEKs.
  package let keyMaterial: SecretBytes?
  /// Creation or last change, in milliseconds since 1970.
  package let timestamp: Int64
  package let isDeleted: Bool

  /// Reads an answer of the registry about a DEK of `kek`, `subject` and `algorithm`; `nil` when it has no
  /// wrapped key. The answer may name another subject, when the one asked for is an alias.
  ///
  /// The key material goes from the answer's bytes straight into memory that is wiped: it never becomes a
  /// `String`. Throws ``JSONError`` or ``MalformedDEK``.
  init?(
    _ answer: UnsafeRawBufferPointer, kek: String, subject: Subject, algorithm: DEKAlgorithm
  ) throws {
    var limits = JSONValue.Limits()
    limits.withheldMembers = ["keyMaterial"]
    let value = try JSONValue(parsing: answer, limits: limits)
    guard let version = value["version"]?.integer.flatMap({ Int32(exactly: $0) }) else {
      throw MalformedDEK(what: "version")
    }
    guard value["algorithm"]?.string == algorithm.rawValue else { throw MalformedDEK(what: "algorithm") }
    guard let text = value["encryptedKeyMaterial"]?.string, !text.isEmpty else { return nil }
    guard let wrapped = Base64.decode(text) else { throw MalformedDEK(what: "encryptedKeyMaterial") }
    self.wrapped = wrapped
    identity = DEKIdentity(kek: kek, subject: subject, algorithm: algorithm, version: version)
    timestamp = max(Int64(value["ts"]?.integer ?? 0), 0)
    isDeleted = value["deleted"]?.bool ?? false
    keyMaterial = try JSONScanner.withText(at: ["keyMaterial"], in: answer) { text in
      guard let text, !text.isEmpty else { return nil }
      return try SecretBytes(capacity: Base64.maximumDecodedCount(text.count)) { memory in
        guard let count = Base64.decode(text, into: memory) else { throw MalformedDEK(what: "keyMaterial") }
        return count
      }
    }
  }
}

/// A part of a DEK that is missing, or not what was asked for, or no base64.
struct MalformedDEK: Error, CustomStringConvertible {
  let what: String
  var description: String { "\(what) is missing or wrong" }
}
