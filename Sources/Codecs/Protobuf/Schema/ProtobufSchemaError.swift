/// Why something is no Protobuf schema, or none that can be worked with. Schemas are not secret, so their words
/// may be quoted.
package struct ProtobufSchemaError: Error, Equatable, CustomStringConvertible {
  package let reason: String
  /// Such as `line 3, column 7`, the full name of a message or field, or an import path; empty when there is no
  /// better place than the schema.
  package private(set) var place: String

  init(_ reason: String, at place: String = "") {
    self.reason = reason
    self.place = place
  }

  /// The same error as seen from outside.
  func inside(_ outer: String) -> ProtobufSchemaError {
    ProtobufSchemaError(reason, at: place.isEmpty ? outer : "\(place) of \(outer)")
  }

  package var description: String { place.isEmpty ? reason : "\(reason) at \(place)" }
}

/// How much schema is accepted.
enum ProtobufSchemaLimits {
  /// Bytes of one file, in either form.
  static let fileCount = 4 << 20
  /// Messages, or messages in option values, inside each other.
  static let depth = 100
  /// Messages and enums of all files together.
  static let types = 50_000
  /// Bytes of the full name of a type.
  static let nameCount = 1_024
}
