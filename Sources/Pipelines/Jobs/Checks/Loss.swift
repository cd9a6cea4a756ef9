/// What a sink topic's settings would make of records against the job's will; accepted by name in `acceptLoss`.
package enum Loss: String, Sendable, Hashable, CaseIterable {
  /// Records older than the sink keeps records are deleted soon after they were written.
  case expiry
  /// The sink keeps one record of each key, where the source keeps all.
  case compaction
  /// The sink gives every record the time it was written.
  case timestamps

  var hint: String { "or accept it with \"acceptLoss\": [\"\(rawValue)\"]" }
}
