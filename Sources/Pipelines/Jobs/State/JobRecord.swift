package import JSON

/// What a job settled when it first began, for every instance and every later run of it.
package struct JobRecord: Sendable, Hashable {
  package let id: String
  /// The job before this one under the same name; `nil` for the first.
  package let predecessor: String?
  /// Milliseconds since 1970.
  package let created: Int64
  package let sourceTopic: String
  /// The consumer group that knows where the job has got to.
  package let group: String
  package let sinkTopic: String
  /// Whether the job is about all partitions that the source had then, rather than those that the pipeline names.
  package let isOfAllPartitions: Bool
  /// Where each partition of the job begins, where its group has no offset yet.
  package let start: [Int32: Int64]
  /// Where each partition ends; `nil` for a job that goes on.
  package let end: [Int32: Int64]?
  /// The keys sealed under.
  package let targets: [String]
  /// The ids of the schemas written under, by subject, where the job keeps to them.
  package let schemas: [String: Int32]

  package init(
    id: String, predecessor: String?, created: Int64, sourceTopic: String, group: String,
    sinkTopic: String, start: [Int32: Int64], end: [Int32: Int64]?, targets: [String],
    schemas: [String: Int32] = [:], isOfAllPartitions: Bool = false
  ) {
    self.id = id
    self.predecessor = predecessor
    self.created = created
    self.sourceTopic = sourceTopic
    self.group = group
    self.sinkTopic = sinkTopic
    self.start = start
    self.end = end
    self.targets = targets
    self.schemas = schemas
    self.isOfAllPartitions = isOfAllPartitions
  }

  /// The partitions the job is about.
  package var partitions: [Int32] { start.keys.sorted() }
}

extension JobRecord {
  package var json: JSONValue {
    func offsets(_ offsets: [Int32: Int64]) -> JSONValue {
      var members = JSONObject()
      for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
        members["\(partition)"] = JSONValue(Int(offset))
      }
      return .object(members)
    }
    var schemas = JSONObject()
    for (subject, id) in self.schemas.sorted(by: { $0.key < $1.key }) {
      schemas[subject] = JSONValue(Int(id))
    }
    return [
      "id": .string(id), "predecessor": predecessor.map(JSONValue.string) ?? .null,
      "created": JSONValue(Int(created)), "source": .string(sourceTopic), "group": .string(group),
      "sink": .string(sinkTopic), "allPartitions": .bool(isOfAllPartitions),
      "start": offsets(start), "end": end.map(offsets) ?? .null,
      "targets": .array(targets.map(JSONValue.string)), "schemas": .object(schemas),
    ]
  }

  /// `nil` when the document is none of ours.
  package init?(_ json: JSONValue) {
    func offsets(_ value: JSONValue?) -> [Int32: Int64]? {
      guard let members = value?.object else { return nil }
      var offsets: [Int32: Int64] = [:]
      for (name, value) in members {
        guard let partition = Int32(name), let offset = value.integer else { return nil }
        offsets[partition] = Int64(offset)
      }
      return offsets
    }
    guard let id = json["id"]?.string, let created = json["created"]?.integer,
      let source = json["source"]?.string, let group = json["group"]?.string, let sink = json["sink"]?.string,
      let start = offsets(json["start"])
    else { return nil }
    var schemas: [String: Int32] = [:]
    for (subject, id) in json["schemas"]?.object ?? [:] {
      schemas[subject] = id.integer.flatMap { Int32(exactly: $0) }
    }
    self.init(
      id: id, predecessor: json["predecessor"]?.string, created: Int64(created), sourceTopic: source,
      group: group,
      sinkTopic: sink, start: start, end: offsets(json["end"]),
      targets: json["targets"]?.array?.compactMap(\.string) ?? [], schemas: schemas,
      isOfAllPartitions: json["allPartitions"]?.bool ?? false)
  }
}
