internal import Codecs
internal import KeyManagement
internal import SchemaRegistry

/// What is wrong with a record that could not be processed: one of a closed list of words, so that nothing of the
/// record can come out with it.
///
/// The words stand in dead letters, logs and metrics; those that were ever written keep their meaning.
package enum FailureClass: String, Sendable, Hashable, CaseIterable {
  /// It does not begin as a record written by a serializer.
  case noSchema = "no-schema"
  /// The registry has no such schema.
  case unknownSchema = "unknown-schema"
  /// Its bytes do not follow the schema it names, so that no deserializer can read them.
  case malformed
  /// Its bytes may well follow their schema, or some deserializers overlook that they do not, but they are not processed
  /// here: bytes after the record's end, say, which Avro's and Jackson's readers leave alone.
  case unsupportedForm = "unsupported-form"
  /// Records of its schema are not processed, whatever is in them.
  case refusedSchema = "refused-schema"
  /// A tagged field has a type that cannot be sealed.
  case unsupportedType = "unsupported-type"
  /// A field that should be sealed is not.
  case notSealed = "not-sealed"
  /// A field is sealed under a key that is none of those it may be sealed under, or damaged.
  case doesNotOpen = "does-not-open"
  /// A field is sealed already, under another key.
  case foreignKey = "foreign-key"
  /// A field may be sealed or may be plaintext, and the key that would tell cannot be had.
  case undecidable
  /// The key that a field is sealed under is missing, deleted, denied or damaged.
  case keyUnavailable = "key-unavailable"
  /// What came of it is larger than the sink takes.
  case tooLarge = "too-large"

  /// Whether no deserializer could read the record either: what `skip` may leave out.
  package var isUnreadable: Bool { [.noSchema, .unknownSchema, .malformed].contains(self) }

  /// `nil` when the failure is none of the record's: a service that is out of reach or says no, a key that is used up
  /// or misconfigured, a library that fails. Any record would fail so, and giving up one after the other would not
  /// help. Nor does it help where no dead letter could hold the whole record, or replace it.
  package init?(_ failure: RecordFailure) {
    switch failure {
    case .frame: self = .noSchema
    case .schema(_, let error):
      // Any other 404 is that of a wrong address, where all schemas are unknown.
      guard error.reason == .notFound, error.code == Self.schemaNotFound else { return nil }
      self = .unknownSchema
    case .sealingKey, .headers, .keyless: return nil
    case .refused: self = .refusedSchema
    case .malformed(let error): self.init(error)
    case .field(_, _, let failure), .payload(let failure): self.init(failure)
    case .key(let failure): self.init(failure)
    }
  }

  /// The registry's error code (specification section B.5).
  private static let schemaNotFound = 40403

  private init(_ error: RecordError) {
    switch error.reason {
    case .truncated, .invalidLength, .overlongNumber, .outOfRange, .notText, .unexpectedByte, .invalidTag:
      self = .malformed
    case .trailingBytes, .wrongType, .halfSurrogate, .wrongWireType, .unmatched, .noAlternative, .ambiguous,
      .tooComplex, .group, .scatteredMessage, .tooDeep, .stopped:
      self = .unsupportedForm
    case .tooLarge: self = .tooLarge
    }
  }

  private init?(_ failure: FieldFailure) {
    switch failure {
    case .keyUnavailable(let error):
      guard error.isOfOneKey else { return nil }
      self = .keyUnavailable
    case .undecidable(let error):
      guard error.isOfOneKey else { return nil }
      self = .undecidable
    case .notSealed: self = .notSealed
    case .doesNotOpen: self = .doesNotOpen
    case .foreign, .sealedDeeper: self = .foreignKey
    case .unsupportedType: self = .unsupportedType
    case .needsKey, .needsVersions, .usedUp, .crypto: return nil
    }
  }
}

extension KeyError {
  /// Whether this key cannot be had, rather than keys in general.
  fileprivate var isOfOneKey: Bool { [.missing, .denied, .damaged].contains(reason) }
}
