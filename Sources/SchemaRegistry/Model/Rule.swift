internal import HTTPClient
package import JSON

/// A rule of a data contract (specification sections B.4 and C.1).
package struct Rule: Sendable, Hashable {
  package enum Kind: String, Sendable {
    case transform = "TRANSFORM"
    case condition = "CONDITION"
  }

  package enum Mode: String, Sendable {
    case write = "WRITE"
    case read = "READ"
    case writeRead = "WRITEREAD"
    case upgrade = "UPGRADE"
    case downgrade = "DOWNGRADE"
    case upDown = "UPDOWN"
  }

  package var name: String
  package var kind: Kind
  package var mode: Mode
  /// The executor's type, upper-cased as it is for lookup: `ENCRYPT`, `ENCRYPT_PAYLOAD`, `CEL` and others.
  package var type: String
  package var tags: [String] = []
  package var parameters: [String: String] = [:]
  package var expression: String?
  package var onSuccess: String?
  package var onFailure: String?
  package var isDisabled = false

  package init(
    name: String, kind: Kind = .transform, mode: Mode = .writeRead, type: String, tags: [String] = [],
    parameters: [String: String] = [:]
  ) {
    self.name = name
    self.kind = kind
    self.mode = mode
    self.type = type
    self.tags = tags
    self.parameters = parameters
  }
}

/// The rules of a schema version, by phase.
package struct RuleSet: Sendable, Hashable {
  package enum EnableAt: String, Sendable {
    case all = "ALL"
    case none = "NONE"
    case client = "CLIENT"
    case gateway = "GATEWAY"
    case server = "SERVER"
  }

  package var migrationRules: [Rule] = []
  package var domainRules: [Rule] = []
  package var encodingRules: [Rule] = []
  package var enableAt: EnableAt?

  package init(domainRules: [Rule] = []) { self.domainRules = domainRules }

  /// The rules of both phases that seal something when they run.
  package var encryptionRules: [Rule] {
    (domainRules + encodingRules).filter {
      !$0.isDisabled && ($0.type == "ENCRYPT" || $0.type == "ENCRYPT_PAYLOAD")
    }
  }
}

// MARK: - JSON

extension Rule {
  /// Reads a rule as a registry prints it. A missing kind is TRANSFORM and a missing mode WRITEREAD, as the
  /// JVM client fills them in. Throws ``ModelError`` for words this client does not know: skipping such a rule
  /// could send a field in the clear.
  init(_ value: JSONValue) throws(ModelError) {
    guard let name = value["name"]?.string, let type = value["type"]?.string else {
      throw ModelError("a rule without name or type")
    }
    self.name = name
    self.type = type.uppercased()
    kind = try value["kind"].word(Kind.self, default: .transform, in: "kind of rule \(name)")
    mode = try value["mode"].word(Mode.self, default: .writeRead, in: "mode of rule \(name)")
    tags = value["tags"]?.array?.compactMap(\.string) ?? []
    for (key, parameter) in value["params"]?.object ?? [:] { parameters[key] = parameter.string }
    expression = value["expr"]?.string
    onSuccess = value["onSuccess"]?.string
    onFailure = value["onFailure"]?.string
    isDisabled = value["disabled"]?.bool ?? false
  }

  package var json: JSONValue {
    var members: JSONObject = [
      "name": .string(name), "kind": .string(kind.rawValue), "mode": .string(mode.rawValue),
      "type": .string(type),
    ]
    if !tags.isEmpty { members["tags"] = .array(tags.map { .string($0) }) }
    if !parameters.isEmpty { members["params"] = parameters.json }
    members["expr"] = expression.map { .string($0) }
    members["onSuccess"] = onSuccess.map { .string($0) }
    members["onFailure"] = onFailure.map { .string($0) }
    members["disabled"] = .bool(isDisabled)
    return .object(members)
  }
}

extension RuleSet {
  init(_ value: JSONValue) throws(ModelError) {
    migrationRules = try Self.rules(value["migrationRules"])
    domainRules = try Self.rules(value["domainRules"])
    encodingRules = try Self.rules(value["encodingRules"])
    if let word = value["enableAt"], !word.isNull {
      enableAt = try Optional(word).word(EnableAt.self, default: .all, in: "enableAt of the rule set")
    }
  }

  private static func rules(_ value: JSONValue?) throws(ModelError) -> [Rule] {
    var rules: [Rule] = []
    for rule in value?.array ?? [] { rules.append(try Rule(rule)) }
    return rules
  }

  package var json: JSONValue {
    var members = JSONObject()
    if !migrationRules.isEmpty { members["migrationRules"] = .array(migrationRules.map(\.json)) }
    if !domainRules.isEmpty { members["domainRules"] = .array(domainRules.map(\.json)) }
    if !encodingRules.isEmpty { members["encodingRules"] = .array(encodingRules.map(\.json)) }
    if let enableAt { members["enableAt"] = .string(enableAt.rawValue) }
    return .object(members)
  }
}

/// What a registry printed is not of the form it should have. Schemas and rules are no secret, but anybody's words.
struct ModelError: Error {
  let text: String

  init(_ text: String) { self.text = text.quotable() ?? "" }
}

extension JSONValue? {
  fileprivate func word<Word: RawRepresentable<String>>(
    _ type: Word.Type, default fallback: Word, in place: String
  ) throws(ModelError) -> Word {
    guard let value = self, !value.isNull else { return fallback }
    guard let text = value.string, let word = Word(rawValue: text) else {
      throw ModelError("\(place) is \(value.serialized())")
    }
    return word
  }
}

extension [String: String] {
  /// Sorted by name, so that the same map always prints the same.
  var json: JSONValue {
    var members = JSONObject()
    for (key, value) in sorted(by: { $0.key < $1.key }) { members[key] = .string(value) }
    return .object(members)
  }
}
