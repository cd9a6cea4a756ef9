extension APIError {
  static func subjectNotFound(_ subject: Subject) -> APIError {
    APIError(40401, "Subject '\(subject.qualified)' not found.")
  }

  static func versionNotFound(_ version: VersionNumber) -> APIError {
    APIError(40402, "Version \(version.text) not found.")
  }

  static let schemaNotFound = APIError(40403, "Schema not found")

  /// `which` is an id or a GUID.
  static func schemaNotFound(_ which: String) -> APIError { APIError(40403, "Schema \(which) not found") }

  static func subjectSoftDeleted(_ subject: Subject) -> APIError {
    APIError(
      40404,
      "Subject '\(subject.qualified)' was soft deleted.Set permanent=true to delete permanently")
  }

  static func subjectNotSoftDeleted(_ subject: Subject) -> APIError {
    APIError(
      40405, "Subject '\(subject.qualified)' was not deleted first before being permanently deleted")
  }

  static func versionSoftDeleted(_ version: SchemaVersion) -> APIError {
    APIError(
      40406,
      "Subject '\(version.subject.qualified)' Version \(version.number) was soft deleted."
        + "Set permanent=true to delete permanently")
  }

  static func versionNotSoftDeleted(_ version: SchemaVersion) -> APIError {
    APIError(
      40407,
      "Subject '\(version.subject.qualified)' Version \(version.number) was not deleted first "
        + "before being permanently deleted")
  }

  static func noConfig(_ subject: Subject) -> APIError {
    APIError(
      40408, "Subject '\(subject.qualified)' does not have subject-level compatibility configured")
  }

  static func noMode(_ subject: Subject) -> APIError {
    APIError(40409, "Subject '\(subject.qualified)' does not have subject-level mode configured")
  }

  static func incompatible(_ subject: Subject, _ details: [String]) -> APIError {
    APIError(
      40901,
      "Schema being registered is incompatible with an earlier schema for subject "
        + "\"\(subject.qualified)\", details: [\(details.joined(separator: ", "))]")
  }

  static func associationExists(_ resource: String, _ type: String) -> APIError {
    APIError(40902, "An association of type '\(type)' already exists for resource '\(resource)'")
  }

  static let emptySchema = APIError(42201, "Empty schema")

  static func invalidSchema(_ type: SchemaType, _ details: String) -> APIError {
    APIError(42201, "Invalid schema of type \(type.rawValue), details: \(details)")
  }

  static func invalidSchemaType(_ type: String) -> APIError {
    APIError(42201, "Invalid schema type \(type)")
  }

  static let notNextVersion = APIError(42201, "Version is not one more than previous version")

  static let invalidCompatibility = APIError(
    42203,
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
      + "forward_transitive, and full_transitive")

  static let invalidMode = APIError(
    42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")

  static func notPermitted(_ why: String) -> APIError { APIError(42205, why) }

  static func schemaReferenced(_ subject: Subject, _ version: Int) -> APIError {
    APIError(
      42206,
      "One or more references exist to the schema "
        + "{magic=1,keytype=SCHEMA,subject=\(subject.qualified),version=\(version)}.")
  }

  static func invalidSubject(_ subject: Subject) -> APIError {
    APIError(42208, "The specified subject '\(subject.qualified)' is not a valid.")
  }

  static func invalidRuleSet(_ why: String) -> APIError { APIError(42210, why) }

  static func contextNotEmpty(_ context: String) -> APIError {
    APIError(42211, "The specified context '\(context)' is not empty.")
  }

  static func invalidAssociation(_ property: String, _ detail: String) -> APIError {
    APIError(
      42212, "The association specified an invalid value for property: '\(property)', detail: \(detail)")
  }
}
