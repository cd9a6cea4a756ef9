package import Codecs
package import KeyManagement
package import SchemaRegistry

/// Why one record could not be processed. Names places, schemas and keys; never quotes the record.
package enum RecordFailure: Error, CustomStringConvertible {
  /// It does not begin as a record written by a serializer.
  case frame(FrameError)
  /// The schema it names cannot be had.
  case schema(SchemaReference, RegistryError)
  /// A key to seal under cannot be had.
  case sealingKey(KeyError)
  /// Records of this schema cannot be processed.
  case refused(PlanRefusal)
  /// The bytes do not follow the schema.
  case malformed(RecordError)
  /// A field could not be sealed or opened.
  case field(name: String, path: [String], FieldFailure)
  /// The body as a whole could not be sealed or opened.
  case payload(FieldFailure)
  /// It has headers that cannot be read, and so not be kept.
  case headers
  /// It has no key, so no other record can take its place.
  case keyless
  /// The same of the record's key.
  indirect case key(RecordFailure)

  package var description: String {
    switch self {
    case .frame(let error): "it has no schema: \(error)"
    case .schema(let reference, let error): "\(reference) cannot be fetched: \(error)"
    case .sealingKey(let error): "\(error)"
    case .refused(let refusal): "\(refusal)"
    case .malformed(let error): "it does not follow its schema: \(error)"
    case .field(let name, let path, let failure):
      "field \(path.isEmpty ? name : path.joined(separator: ".")) (\(name)): \(failure)"
    case .payload(let failure): "the payload: \(failure)"
    case .headers: "its headers cannot be read; librdkafka reads up to 100,000"
    case .keyless: "it has no key, and in place a record is replaced by one with the same key"
    case .key(let failure): "the record's key: \(failure)"
    }
  }
}
