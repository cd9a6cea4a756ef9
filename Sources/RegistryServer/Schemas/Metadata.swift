internal import JSON

/// What a schema says about itself beyond its structure.
struct Metadata: Hashable, Codable, Sendable {
  /// From a path pattern to the tags of the fields it matches, sorted.
  var tags: [String: [String]] = [:]
  var properties: [String: String] = [:]
  /// Names of properties whose values are not for everybody; clients only carry them. Sorted.
  var sensitive: [String] = []

  /// The property with which the server marks a version that was asked for by number.
  static let versionProperty = "confluent:version"

  init() {}

  init(_ fields: Fields) throws(APIError) {
    let tags = try fields.map("tags") { (inner, key) throws(APIError) in try inner.texts(key) }
    self.tags = tags?.mapValues { Set($0).sortedByCodePoint() } ?? [:]
    properties = try fields.textMap("properties") ?? [:]
    sensitive = Set(try fields.texts("sensitive") ?? []).sortedByCodePoint()
  }

  /// `nil` when the member is absent or null.
  init?(in fields: Fields, _ name: String) throws(APIError) {
    guard let inner = try fields.fields(name) else { return nil }
    try self.init(inner)
  }

  /// Members in the server's order; empty ones are left out.
  var json: JSONValue {
    var members = JSONObject()
    if !tags.isEmpty {
      var patterns = JSONObject()
      for pattern in tags.keys.sortedByCodePoint() {
        patterns[pattern] = tags[pattern].map(JSONValue.init(texts:))
      }
      members["tags"] = .object(patterns)
    }
    if !properties.isEmpty { members["properties"] = .object(JSONObject(texts: properties)) }
    if !sensitive.isEmpty { members["sensitive"] = JSONValue(texts: sensitive) }
    return .object(members)
  }

  func update(_ digest: inout ContentDigest) {
    digest.update([1])
    for pattern in tags.keys.sortedByCodePoint() {
      digest.update(pattern)
      tags[pattern]?.forEach { digest.update($0) }
    }
    for name in properties.keys.sortedByCodePoint() {
      digest.update(name)
      digest.update(properties[name])
    }
    sensitive.forEach { digest.update($0) }
  }

  /// `later` wins where both say something.
  static func merged(_ earlier: Metadata?, _ later: Metadata?) -> Metadata? {
    guard var merged = earlier, let later else { return earlier ?? later }
    merged.tags.merge(later.tags) { _, later in later }
    merged.properties.merge(later.properties) { _, later in later }
    merged.sensitive = Set(merged.sensitive).union(later.sensitive).sortedByCodePoint()
    return merged
  }
}
