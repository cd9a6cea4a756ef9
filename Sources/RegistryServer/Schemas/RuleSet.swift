internal import JSON

/// The rules that come with a schema (specification section B.4).
struct RuleSet: Hashable, Codable, Sendable {
  var migrationRules: [Rule] = []
  var domainRules: [Rule] = []
  var encodingRules: [Rule] = []
  /// Where the rules run.
  var enableAt: Place?

  enum Place: String, Hashable, Codable, Sendable, CaseIterable {
    case none = "NONE"
    case all = "ALL"
    case server = "SERVER"
    case gateway = "GATEWAY"
    case client = "CLIENT"
  }

  init() {}

  /// Reads a rule set without looking at the sense of it, which ``validate()`` does.
  init(_ fields: Fields) throws(APIError) {
    migrationRules = try Self.rules(fields, "migrationRules")
    domainRules = try Self.rules(fields, "domainRules")
    encodingRules = try Self.rules(fields, "encodingRules")
    enableAt = try fields.choice("enableAt", of: Place.self)
  }

  /// `nil` when the member is absent or null. The community server reads rule sets, does not look at the
  /// sense of them and drops them.
  init?(in fields: Fields, _ name: String, dropsRules: Bool) throws(APIError) {
    guard let inner = try fields.fields(name) else { return nil }
    try self.init(inner)
    if dropsRules { return nil }
    try validate()
  }

  private static func rules(_ fields: Fields, _ name: String) throws(APIError) -> [Rule] {
    // A null in the list becomes a rule without a name, which validation refuses.
    try fields.list(name)?.map { (rule) throws(APIError) in try Rule(rule ?? Fields(JSONObject())) } ?? []
  }

  /// Members in the server's order; empty lists are left out.
  var json: JSONValue {
    var members = JSONObject()
    for (name, rules) in [
      ("migrationRules", migrationRules), ("domainRules", domainRules), ("encodingRules", encodingRules),
    ] where !rules.isEmpty {
      members[name] = .array(rules.map(\.json))
    }
    members["enableAt"] = enableAt.map { .string($0.rawValue) }
    return .object(members)
  }

  /// The types of the rules in all lists.
  var types: Set<String> { Set((migrationRules + domainRules + encodingRules).map(\.type)) }

  func update(_ digest: inout ContentDigest) {
    digest.update([1])
    for rule in migrationRules + domainRules + encodingRules { rule.update(&digest) }
    digest.update(enableAt?.rawValue)
  }

  /// List by list: rules of `later` replace those of the same name and are appended.
  static func merged(_ earlier: RuleSet?, _ later: RuleSet?) -> RuleSet? {
    guard var merged = earlier, let later else { return earlier ?? later }
    for list in [\RuleSet.migrationRules, \.domainRules, \.encodingRules] {
      let names = Set(later[keyPath: list].map(\.name))
      merged[keyPath: list].removeAll { names.contains($0.name) }
      merged[keyPath: list] += later[keyPath: list]
    }
    merged.enableAt = later.enableAt ?? merged.enableAt
    return merged
  }

  /// Throws 42210 for what the genuine server refuses.
  func validate() throws(APIError) {
    var names: Set<String> = []
    for rule in migrationRules + domainRules + encodingRules {
      try rule.validate()
      guard names.insert(rule.name).inserted else {
        throw .invalidRuleSet("Found rule with duplicate name '\(rule.name)'")
      }
    }
    guard migrationRules.allSatisfy(\.mode.isMigration) else {
      throw .invalidRuleSet("Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN")
    }
    guard !domainRules.contains(where: \.mode.isMigration) else {
      throw .invalidRuleSet("Domain rules can only be WRITE, READ, WRITEREAD")
    }
    guard !encodingRules.contains(where: \.mode.isMigration) else {
      throw .invalidRuleSet("Encoding rules can only be WRITE, READ, WRITEREAD")
    }
  }
}
