internal import Configuration
internal import JSON

// A pipeline over several topics is one job for each, and `${topic}` in its texts is that job's topic.
extension PipelineDefinition {
  /// What the file means for each topic. Where there are several, each job is named after its topic, too, as are its
  /// state, its group and its transactional id with it.
  static func documents(_ document: JSONValue) -> [JSONValue] {
    let topics = document["source"]?["topics"]?.array?.compactMap(\.string) ?? []
    guard !topics.isEmpty else { return [document] }
    return topics.map { topic in
      guard var members = filled(document, with: topic).object, var source = members["source"]?.object else {
        return document
      }
      source["topics"] = .array([.string(topic)])
      members["source"] = .object(source)
      if topics.count > 1, let name = members["name"]?.string {
        members["name"] = .string("\(name)-\(topic)")
      }
      return .object(members)
    }
  }

  /// What jobs over several topics must not share.
  static func problemsOfSeveralTopics(_ document: JSONValue) -> [Problem] {
    let topics = document["source"]?["topics"]?.array?.compactMap(\.string) ?? []
    guard topics.count > 1 else { return [] }
    var problems: [Problem] = []
    if Set(topics).count < topics.count { problems.append(Problem("$.source.topics", "names a topic twice")) }
    func mustDiffer(_ path: String, _ text: String?, _ reason: String) {
      guard let text, !text.contains(topicPlaceholder) else { return }
      problems.append(
        Problem(path, "must contain \(topicPlaceholder) where there are several topics: \(reason)"))
    }
    mustDiffer(
      "$.sink.topic", document["sink"]?["topic"]?.string, "in one sink topic their partitions would be mixed")
    mustDiffer(
      "$.source.group", document["source"]?["group"]?.string, "each is a job that keeps its own position")
    return problems
  }

  private static let topicPlaceholder = "${topic}"

  private static func filled(_ value: JSONValue, with topic: String) -> JSONValue {
    switch value {
    case .string(let text): return .string(text.replacing(topicPlaceholder, with: topic))
    case .array(let elements): return .array(elements.map { filled($0, with: topic) })
    case .object(let members):
      var all = JSONObject()
      for (name, value) in members { all[name] = filled(value, with: topic) }
      return .object(all)
    default: return value
    }
  }
}
