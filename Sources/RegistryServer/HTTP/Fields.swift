internal import JSON

/// The members of a JSON object in a request, read the way the genuine server's parser coerces them: scalars
/// become text where text is expected, `"3"` and 3.7 become 3, and null is as good as absent.
///
/// Every method throws 400 for a value that cannot be coerced.
struct Fields {
  private let members: JSONObject

  init(_ members: JSONObject) { self.members = members }

  /// Whether the member is there and null.
  func isNull(_ name: String) -> Bool { members[name]?.isNull == true }

  private subscript(name: String) -> JSONValue? { isNull(name) ? Optional.none : members[name] }

  func text(_ name: String) throws(APIError) -> String? {
    guard let value = self[name] else { return nil }
    return try Self.text(value, name)
  }

  func integer(_ name: String) throws(APIError) -> Int? {
    guard let value = self[name] else { return nil }
    let number: Double? =
      switch value {
      case .number(let spelling): Double(spelling)
      case .string(let text): Int32(text).map(Double.init)
      default: nil
      }
    guard let number, let integer = Int32(exactly: number.rounded(.towardZero)) else {
      throw Self.mismatch(name, "a whole number of 32 bits", value)
    }
    return Int(integer)
  }

  func flag(_ name: String) throws(APIError) -> Bool? {
    guard let value = self[name] else { return nil }
    switch value {
    case .bool(let flag): return flag
    case .number(let spelling) where Int(spelling) != nil: return Int(spelling) != 0
    case .string("true"), .string("True"), .string("TRUE"): return true
    case .string("false"), .string("False"), .string("FALSE"): return false
    default: throw Self.mismatch(name, "true or false", value)
    }
  }

  /// One of the names of an enumeration, in exactly its spelling.
  func choice<Choice>(_ name: String, of type: Choice.Type) throws(APIError) -> Choice?
  where Choice: CaseIterable & RawRepresentable<String> {
    guard let value = self[name] else { return nil }
    guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw Self.mismatch(name, "one of \(names)", value)
    }
    return choice
  }

  func fields(_ name: String) throws(APIError) -> Fields? {
    guard let value = self[name] else { return nil }
    guard let members = value.object else { throw Self.mismatch(name, "an object", value) }
    return Fields(members)
  }

  /// The members of a list of objects; `nil` where an element is null.
  func list(_ name: String) throws(APIError) -> [Fields?]? {
    try elements(name)?.map { (element) throws(APIError) in
      if element.isNull { return nil }
      guard let members = element.object else { throw Self.mismatch(name, "a list of objects", element) }
      return Fields(members)
    }
  }

  func texts(_ name: String) throws(APIError) -> [String]? {
    try elements(name)?.filter { !$0.isNull }.map { (element) throws(APIError) in try Self.text(element, name)
    }
  }

  /// A map from text to text; members that are null are left out.
  func textMap(_ name: String) throws(APIError) -> [String: String]? {
    try map(name) { (inner, key) throws(APIError) in try inner.text(key) }
  }

  /// A map from text to something that `read` takes out of the inner fields by the same name.
  func map<Value>(
    _ name: String, _ read: (Fields, String) throws(APIError) -> Value?
  ) throws(APIError) -> [String: Value]? {
    guard let inner = try fields(name) else { return nil }
    var map: [String: Value] = [:]
    for key in inner.members.names { map[key] = try read(inner, key) }
    return map
  }

  private func elements(_ name: String) throws(APIError) -> [JSONValue]? {
    guard let value = self[name] else { return nil }
    guard let elements = value.array else { throw Self.mismatch(name, "a list", value) }
    return elements
  }

  private static func text(_ value: JSONValue, _ name: String) throws(APIError) -> String {
    switch value {
    case .string(let text), .number(let text): return text
    case .bool(let flag): return flag ? "true" : "false"
    default: throw mismatch(name, "text", value)
    }
  }

  private static func mismatch(_ name: String, _ expected: String, _ found: JSONValue) -> APIError {
    .badBody("Cannot read field '\(name)': expected \(expected), found \(found.kindName)")
  }
}
