internal import JSON

/// One rule (specification section B.4). The type is kept as it was written; the server does not run rules.
struct Rule: Hashable, Codable, Sendable {
  enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
    case condition = "CONDITION"
    case transform = "TRANSFORM"
  }

  enum Mode: String, Hashable, Codable, Sendable, CaseIterable {
    case downgrade = "DOWNGRADE"
    case read = "READ"
    case upgrade = "UPGRADE"
    case updown = "UPDOWN"
    case write = "WRITE"
    case writeread = "WRITEREAD"

    var isMigration: Bool { self == .upgrade || self == .downgrade || self == .updown }
  }

  /// Empty when it was missing.
  var name: String
  var doc: String?
  var kind: Kind
  var mode: Mode
  /// Empty when it was missing.
  var type: String
  /// Sorted.
  var tags: [String]
  var parameters: [String: String]
  var expression: String?
  var onSuccess: String?
  var onFailure: String?
  var isDisabled: Bool

  init(_ fields: Fields) throws(APIError) {
    name = try fields.text("name") ?? ""
    doc = try fields.text("doc")
    kind = try fields.choice("kind", of: Kind.self) ?? .transform
    mode = try fields.choice("mode", of: Mode.self) ?? .writeread
    type = try fields.text("type") ?? ""
    tags = Set(try fields.texts("tags") ?? []).sortedByCodePoint()
    parameters = try fields.textMap("params") ?? [:]
    expression = try fields.text("expr")
    onSuccess = try fields.text("onSuccess")
    onFailure = try fields.text("onFailure")
    isDisabled = try fields.flag("disabled") ?? false
  }

  var json: JSONValue {
    var members: JSONObject = ["name": .string(name)]
    members["doc"] = doc.map(JSONValue.string)
    members["kind"] = .string(kind.rawValue)
    members["mode"] = .string(mode.rawValue)
    members["type"] = .string(type)
    if !tags.isEmpty { members["tags"] = JSONValue(texts: tags) }
    if !parameters.isEmpty { members["params"] = .object(JSONObject(texts: parameters)) }
    members["expr"] = expression.map(JSONValue.string)
    members["onSuccess"] = onSuccess.map(JSONValue.string)
    members["onFailure"] = onFailure.map(JSONValue.string)
    members["disabled"] = .bool(isDisabled)
    return .object(members)
  }

  func update(_ digest: inout ContentDigest) {
    for text in [name, doc, kind.rawValue, mode.rawValue, type] { digest.update(text) }
    tags.forEach { digest.update($0) }
    for name in parameters.keys.sortedByCodePoint() {
      digest.update(name)
      digest.update(parameters[name])
    }
    for text in [expression, onSuccess, onFailure] { digest.update(text) }
    if isDisabled { digest.update([1]) }
  }

  /// Throws 42210.
  func validate() throws(APIError) {
    let scalars = name.unicodeScalars
    guard let first = scalars.first else { throw .invalidRuleSet("Missing rule name") }
    guard scalars.count <= 256 else { throw .invalidRuleSet("Rule name too long") }
    guard first.startsName else { throw .invalidRuleSet("Illegal initial character in rule name: \(name)") }
    guard scalars.allSatisfy(\.continuesName) else {
      throw .invalidRuleSet("Illegal character in rule name: \(name)")
    }
    guard !type.isEmpty else { throw .invalidRuleSet("Missing rule type") }
    let hasTwoActions = [onSuccess, onFailure].contains { $0?.contains(",") == true }
    guard !hasTwoActions || mode == .writeread || mode == .updown else {
      throw .invalidRuleSet("Multiple actions only valid with WRITEREAD and UPDOWN")
    }
  }
}
