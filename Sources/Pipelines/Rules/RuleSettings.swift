internal import SchemaRegistry

/// The executor configuration of one side of a pipeline, under the property names of Confluent's clients
/// (specification section C.4).
///
/// Names without the `rule.executors.` prefix are executor parameters too, as in the clients whose rule
/// configuration is one flat map.
package struct RuleSettings: Sendable, Hashable {
  private static let prefix = "rule.executors."

  private let properties: [String: String]

  package init(_ properties: [String: String]) { self.properties = properties }

  /// Where rules are said to run, for rule sets that are enabled in one place only. Most clients count as
  /// `CLIENT`; the JVM client counts as nothing unless it is configured.
  var executionEnvironment: String { properties["execution.environment"] ?? "CLIENT" }

  /// The parameters of an executor type: flat ones, then those of `_default_`, then those of `_<TYPE>_`.
  package func parameters(forType type: String) -> [String: String] {
    var parameters = properties.filter { !$0.key.hasPrefix(Self.prefix) }
    for executor in ["_default_", "_\(type)_"] {
      let prefix = "\(Self.prefix)\(executor).param."
      for (name, value) in properties where name.hasPrefix(prefix) {
        parameters[String(name.dropFirst(prefix.count))] = value
      }
    }
    return parameters
  }

  /// What the configuration says of a rule in place of the rule itself: by its name, else by its type, else by
  /// default. `aspect` is `disabled`, `onSuccess` or `onFailure`.
  func override(_ aspect: String, of rule: Rule) -> String? {
    [rule.name, "_\(rule.type)_", "_default_"].lazy
      .compactMap { properties["\(Self.prefix)\($0).\(aspect)"] }.first
  }
}
