internal import OrderedCollections

/// The members of a JSON object in document order, looked up by name.
package struct JSONObject: Sendable, Hashable {
  private var members: OrderedDictionary<String, JSONValue> = [:]

  package init() {}

  package var count: Int { members.count }
  package var isEmpty: Bool { members.isEmpty }
  package var names: [String] { Array(members.keys) }
  package var values: [JSONValue] { Array(members.values) }

  /// Setting a new name appends it; setting a known one keeps its place; setting `nil` removes it.
  package subscript(name: String) -> JSONValue? {
    get { members[name] }
    set { members[name] = newValue }
  }

  /// Sets a member and says whether the name was new.
  @discardableResult
  package mutating func set(_ name: String, to value: JSONValue) -> Bool {
    members.updateValue(value, forKey: name) == nil
  }

  /// Takes a member's value out, to be changed without copying it and set again; `null` keeps its place.
  package mutating func take(_ name: String) -> JSONValue? {
    let value = members[name]
    members[name] = .null
    return value
  }

  /// The same members ordered by name, by Unicode code point.
  package func sortedByName() -> JSONObject {
    var sorted = self
    sorted.members.sort { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
    return sorted
  }
}

extension JSONObject: Sequence {
  package func makeIterator() -> AnyIterator<(name: String, value: JSONValue)> {
    var iterator = members.makeIterator()
    return AnyIterator { iterator.next().map { (name: $0.key, value: $0.value) } }
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// A member written twice keeps its first place and its last value.
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (name, value) in elements { members[name] = value }
  }
}
