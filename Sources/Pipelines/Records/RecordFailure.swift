package import Codecs
package import SchemaRegistry

/// Why one record could not be processed. Names places, schemas and keys; never quotes the record.
package enum RecordFailure: Error, CustomStringConvertible {
  /// The value does not begin as a record written by a serializer.
  case frame(FrameError)
  /// The schema it names cannot be had.
  case schema(SchemaReference, RegistryError)
  /// Records of this schema cannot be processed.
  case refused(PlanRefusal)
  /// The bytes do not follow the schema.
  case malformed(RecordError)
  /// A field could not be sealed or opened.
  case field(name: String, path: [String], FieldFailure)

  package var description: String {
    switch self {
    case .frame(let error): "the value has no schema: \(error)"
    case .schema(let reference, let error): "\(reference) cannot be fetched: \(error)"
    case .refused(let refusal): "\(refusal)"
    case .malformed(let error): "the value does not follow its schema: \(error)"
    case .field(let name, let path, let failure):
      "field \(path.isEmpty ? name : path.joined(separator: ".")) (\(name)): \(failure)"
    }
  }
}
