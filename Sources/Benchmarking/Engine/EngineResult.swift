package import JSON

/// What was measured at one scenario. Rates of one lane are by time on its processor, medians of the rounds.
package struct EngineResult: Sendable {
  package let scenario: EngineScenario
  package let bytesPerRecord: Int
  /// Tagged fields in a record.
  package let fieldsPerRecord: Int
  package var recordsPerSecond = 0.0
  /// The C loop with the same AEAD operations, or the copy of the same bytes.
  package var baselineRecordsPerSecond = 0.0
  /// How many times the loop's rate the engine reached: the median of what each round gave.
  package var ratio = 0.0
  /// `nil` when nothing counted them.
  package var allocationsPerRecord: Double?
  package var lanes = 1
  /// What that many lanes reached together by the clock on the wall.
  package var allLanesRecordsPerSecond: Double?
  /// How many times what one lane reached alone, by time on the processors: what lanes cost each other.
  package var laneScaling: Double?

  package var megabytesPerSecond: Double { recordsPerSecond * Double(bytesPerRecord) / 1e6 }

  /// Of the whole record's time, shared among its tagged fields; `nil` without any.
  package var nanosecondsPerField: Double? {
    fieldsPerRecord == 0 ? nil : 1e9 / recordsPerSecond / Double(fieldsPerRecord)
  }

  /// What the result is called where results are kept.
  package var name: String { "\(scenario.format.rawValue)/\(scenario.shape.name)/\(scenario.work.rawValue)" }

  package var json: JSONValue {
    var members: JSONObject = [
      "format": .string(scenario.format.rawValue), "shape": .string(scenario.shape.name),
      "work": .string(scenario.work.rawValue), "schemas": JSONValue(scenario.schemaCount),
      "keyVersions": JSONValue(scenario.versionCount), "bytesPerRecord": JSONValue(bytesPerRecord),
      "fieldsPerRecord": JSONValue(fieldsPerRecord), "recordsPerSecond": JSONValue(Int(recordsPerSecond)),
      "megabytesPerSecond": .rounded(megabytesPerSecond),
      "baselineRecordsPerSecond": JSONValue(Int(baselineRecordsPerSecond)), "ratio": .rounded(ratio),
    ]
    members["nanosecondsPerField"] = nanosecondsPerField.map { .rounded($0) }
    members["allocationsPerRecord"] = allocationsPerRecord.map { .rounded($0) }
    if let allLanesRecordsPerSecond, let laneScaling {
      members["lanes"] = JSONValue(lanes)
      members["allLanesRecordsPerSecond"] = JSONValue(Int(allLanesRecordsPerSecond))
      members["laneScaling"] = .rounded(laneScaling)
    }
    return .object(members)
  }
}

extension JSONValue {
  /// With three decimals.
  package static func rounded(_ value: Double) -> JSONValue {
    .number("\((value * 1_000).rounded() / 1_000)")
  }
}
