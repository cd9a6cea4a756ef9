/// One thing that the engine is measured at.
package struct EngineScenario: Sendable {
  package enum Work: String, Sendable, CaseIterable {
    case encrypt
    case decrypt
    case rekey
    /// Encrypting what is sealed under the target already, so that all fields are opened and left as they are.
    case current
    /// Encrypting records without tagged fields.
    case pass
  }

  package enum Format: String, Sendable, CaseIterable {
    case avro
    case json
    case protobuf
  }

  package var format: Format
  package var shape: RecordShape
  package var work: Work
  /// Distinct schema ids among the records, and versions of the DEK they are sealed under: each record has another
  /// one than the record before.
  package var schemaCount = 1
  package var versionCount = 1

  package init(format: Format, shape: RecordShape, work: Work) {
    self.format = format
    self.shape = shape
    self.work = work
  }

  var type: SampleType { work == .pass ? shape.type.untagged : shape.type }

  /// What of the library's operations the work cannot do without.
  var opens: Bool { work == .decrypt || work == .rekey || work == .current }
  var seals: Bool { work == .encrypt || work == .rekey }
}
