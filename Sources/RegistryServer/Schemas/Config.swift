internal import JSON

/// Settings of a subject, a context or everything (specification section B.5).
struct Config: Hashable, Codable, Sendable {
  enum Compatibility: String, Hashable, Codable, Sendable {
    case none = "NONE"
    case backward = "BACKWARD"
    case backwardTransitive = "BACKWARD_TRANSITIVE"
    case forward = "FORWARD"
    case forwardTransitive = "FORWARD_TRANSITIVE"
    case full = "FULL"
    case fullTransitive = "FULL_TRANSITIVE"
  }

  var alias: String?
  var aliasForDEKs: String?
  var normalize: Bool?
  var validateFields: Bool?
  var validateRules: Bool?
  var validateNewSchemas: Bool?
  var compatibility: Compatibility?
  var compatibilityPolicy: String?
  var compatibilityGroup: String?
  var defaultMetadata: Metadata?
  var overrideMetadata: Metadata?
  var defaultRuleSet: RuleSet?
  var overrideRuleSet: RuleSet?

  /// Takes over what the body of a PUT names; the rest stays.
  mutating func update(with fields: Fields, dropsRules: Bool) throws(APIError) {
    alias = try fields.text("alias") ?? alias
    aliasForDEKs = try fields.text("aliasForDeks") ?? aliasForDEKs
    normalize = try fields.flag("normalize") ?? normalize
    validateFields = try fields.flag("validateFields") ?? validateFields
    validateRules = try fields.flag("validateRules") ?? validateRules
    validateNewSchemas = try fields.flag("validateNewSchemas") ?? validateNewSchemas
    if let level = try fields.text("compatibility") {
      guard let level = Compatibility(rawValue: level.uppercased()) else { throw .invalidCompatibility }
      compatibility = level
    }
    compatibilityPolicy = try fields.text("compatibilityPolicy") ?? compatibilityPolicy
    compatibilityGroup = try fields.text("compatibilityGroup") ?? compatibilityGroup
    defaultMetadata = try Metadata(in: fields, "defaultMetadata") ?? defaultMetadata
    overrideMetadata = try Metadata(in: fields, "overrideMetadata") ?? overrideMetadata
    defaultRuleSet = try RuleSet(in: fields, "defaultRuleSet", dropsRules: dropsRules) ?? defaultRuleSet
    overrideRuleSet = try RuleSet(in: fields, "overrideRuleSet", dropsRules: dropsRules) ?? overrideRuleSet
  }

  /// Members in the server's order. A PUT is answered with what is set, under the name `compatibility`.
  var updatedJSON: JSONValue { json(levelName: "compatibility", compatibility) }

  /// GET and DELETE also name the level that is effective when none is set.
  func json(effective: Compatibility) -> JSONValue {
    json(levelName: "compatibilityLevel", compatibility ?? effective)
  }

  private func json(levelName: String, _ level: Compatibility?) -> JSONValue {
    var members = JSONObject()
    members["alias"] = alias.map(JSONValue.string)
    members["aliasForDeks"] = aliasForDEKs.map(JSONValue.string)
    members["normalize"] = normalize.map(JSONValue.bool)
    members["validateFields"] = validateFields.map(JSONValue.bool)
    members["validateRules"] = validateRules.map(JSONValue.bool)
    members["validateNewSchemas"] = validateNewSchemas.map(JSONValue.bool)
    members[levelName] = level.map { .string($0.rawValue) }
    members["compatibilityPolicy"] = compatibilityPolicy.map(JSONValue.string)
    members["compatibilityGroup"] = compatibilityGroup.map(JSONValue.string)
    members["defaultMetadata"] = defaultMetadata?.json
    members["overrideMetadata"] = overrideMetadata?.json
    members["defaultRuleSet"] = defaultRuleSet?.json
    members["overrideRuleSet"] = overrideRuleSet?.json
    return .object(members)
  }
}

/// What may be done with a subject, a context or everything.
enum Mode: String, Hashable, Codable, Sendable {
  case readWrite = "READWRITE"
  case readOnly = "READONLY"
  /// Holds for every subject, whatever its own mode.
  case readOnlyOverride = "READONLY_OVERRIDE"
  /// Ids and versions are chosen by the client.
  case importing = "IMPORT"
  case forward = "FORWARD"

  var isWritable: Bool { self == .readWrite || self == .importing }
}
