/// What a rule's success or failure leads to (specification section C.5).
package enum RuleAction: Sendable, Hashable {
  /// The record fails.
  case error
  /// The record goes on as if the rule were not there.
  case none
  /// The record goes to a dead letter topic.
  case deadLetter
  /// An action by a name that is unknown here.
  case other(String)

  init(_ name: String) {
    switch name {
    case "ERROR": self = .error
    case "NONE": self = .none
    case "DLQ": self = .deadLetter
    default: self = .other(name)
    }
  }

  /// As rules spell it.
  package var name: String {
    switch self {
    case .error: "ERROR"
    case .none: "NONE"
    case .deadLetter: "DLQ"
    case .other(let name): "\"\(name)\""
    }
  }
}
