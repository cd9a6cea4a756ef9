internal import JSON

extension Sequence<String> {
  /// How the registry orders lists of names: capitals first, what is not ASCII last.
  func sortedByCodePoint() -> [String] {
    sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }
}

extension JSONObject {
  /// Text members, ordered by name.
  init(texts: [String: String]) {
    self.init()
    for name in texts.keys.sortedByCodePoint() { self[name] = texts[name].map(JSONValue.string) }
  }
}

extension JSONValue {
  init(texts: [String]) { self = .array(texts.map(JSONValue.string)) }
}

extension Unicode.Scalar {
  var isLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  var isControl: Bool { properties.generalCategory == .control }

  /// What the name of a KEK or of a rule may start with.
  var startsName: Bool { isLetter || self == "_" }

  /// What may follow.
  var continuesName: Bool { startsName || self == "-" || properties.generalCategory == .decimalNumber }
}
