package import JSON

extension Shape {
  /// Everything wrong with `value`, in document order.
  package func problems(with value: JSONValue, at path: String) -> [Problem] {
    switch self {
    case .text(let shape):
      guard let text = value.scalarText else { return mismatch(value, path) }
      return shape.problem(text).map { [Problem(path, $0)] } ?? []
    case .integer(let range):
      guard let integer = value.lenientInteger else { return mismatch(value, path) }
      return range.contains(integer) ? [] : [Problem(path, "must be \(Self.described(range))")]
    case .boolean: return value.lenientBoolean == nil ? mismatch(value, path) : []
    case .choice(let choices):
      guard let text = value.string else { return mismatch(value, path) }
      guard !choices.contains(where: { $0.name == text }) else { return [] }
      let names = choices.map(\.name).joined(separator: ", ")
      return [Problem(path, choices.count == 1 ? "must be \(names)" : "must be one of \(names)")]
    case .object(let members): return problems(with: value, members: members, at: path)
    case .oneMember(let members):
      guard let object = value.object else { return mismatch(value, path) }
      let all = problems(with: value, members: members, at: path)
      guard all.isEmpty, object.count != 1 else { return all }
      return [Problem(path, "must have exactly one of \(members.map(\.name).joined(separator: ", "))")]
    case .list(let element, let minimum):
      guard let elements = value.array else { return mismatch(value, path) }
      guard elements.count >= minimum else { return [Problem(path, "must not be empty")] }
      return elements.enumerated().flatMap { element.problems(with: $1, at: "\(path)[\($0)]") }
    case .properties(let shape): return problems(with: value, properties: shape, at: path)
    case .either(let shapes):
      guard let fitting = shapes.first(where: { $0.fits(value) }) else { return mismatch(value, path) }
      return fitting.problems(with: value, at: path)
    }
  }

  private func problems(with value: JSONValue, members: [Member], at path: String) -> [Problem] {
    guard let object = value.object else { return mismatch(value, path) }
    var problems: [Problem] = []
    for (name, value) in object {
      let memberPath = JSONPath.child(name, of: path)
      if let member = members.first(where: { $0.name == name }) {
        problems += member.shape.problems(with: value, at: memberPath)
      } else {
        problems.append(Problem(memberPath, Self.unknown("key", name, known: members.map(\.name))))
      }
    }
    for member in members where member.isRequired && object[member.name] == nil {
      problems.append(Problem(path, "\"\(member.name)\" is missing"))
    }
    return problems
  }

  private func problems(
    with value: JSONValue, properties shape: PropertiesShape, at path: String
  ) -> [Problem] {
    guard let object = value.object else { return mismatch(value, path) }
    return object.compactMap { name, value in
      let memberPath = JSONPath.child(name, of: path)
      guard shape.accepts(name) else {
        return Problem(memberPath, Self.unknown("property", name, known: shape.known.map(\.name)))
      }
      return value.scalarText == nil
        ? Problem(memberPath, "must be text, a number or a boolean, not \(value.kindName)") : nil
    }
  }

  private func fits(_ value: JSONValue) -> Bool {
    switch self {
    case .text, .choice: value.string != nil
    case .integer: value.integer != nil
    case .boolean: value.bool != nil
    case .object, .oneMember, .properties: value.object != nil
    case .list: value.array != nil
    case .either(let shapes): shapes.contains { $0.fits(value) }
    }
  }

  private func mismatch(_ value: JSONValue, _ path: String) -> [Problem] {
    [Problem(path, "must be \(expected), not \(value.kindName)")]
  }

  private var expected: String {
    switch self {
    case .text: "text"
    case .integer(let range): "a whole number, \(Self.described(range))"
    case .boolean: "true or false"
    case .choice(let choices): "one of \(choices.map(\.name).joined(separator: ", "))"
    case .object, .oneMember, .properties: "an object"
    case .list: "a list"
    case .either(let shapes): shapes.map(\.expected).joined(separator: ", or ")
    }
  }

  private static func described(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
  }

  private static func unknown(_ kind: String, _ name: String, known: [String]) -> String {
    guard let close = known.min(by: { $0.distance(to: name) < $1.distance(to: name) }),
      close.distance(to: name) <= max(2, name.count / 4)
    else { return "unknown \(kind)" }
    return "unknown \(kind); did you mean \"\(close)\"?"
  }
}

/// Paths into a JSON document, as in `$.kafka["bootstrap.servers"]`.
package enum JSONPath {
  package static func child(_ name: String, of path: String) -> String {
    let plain = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "$")
    }
    return plain && !name.isEmpty ? "\(path).\(name)" : "\(path)[\(JSONValue.string(name).serialized())]"
  }
}

// Values that came out of an interpolation are always text, so text counts where it spells the right thing.
extension JSONValue {
  /// A string, or the spelling of a number or boolean.
  package var scalarText: String? {
    switch self {
    case .string(let text): text
    case .number(let spelling): spelling
    case .bool(let flag): flag ? "true" : "false"
    default: nil
    }
  }

  package var lenientInteger: Int? { integer ?? string.flatMap { Int($0) } }

  package var lenientBoolean: Bool? { bool ?? string.flatMap { Bool($0) } }
}

extension String {
  /// Insertions, deletions and replacements between two short names.
  fileprivate func distance(to other: String) -> Int {
    let (source, target) = (Array(prefix(64)), Array(other.prefix(64)))
    var row = Array(0...target.count)
    for (i, character) in source.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, otherCharacter) in target.enumerated() {
        let replaced = diagonal + (character == otherCharacter ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[target.count]
  }
}
