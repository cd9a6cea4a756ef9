/// A subject and the context it is in (specification section B.6).
///
/// `:.ctx:name` is a subject of the context `.ctx`. The default context `.` is left out when a subject is
/// written. A subject without a name stands for the context itself, in settings.
struct Subject: Hashable, Sendable {
  static let defaultContext = "."
  /// Where settings are kept that hold for everything.
  static let everything = Subject(context: defaultContext, name: "")

  let context: String
  let name: String

  init(context: String, name: String) {
    self.context = context
    self.name = name
  }

  /// Reads a subject as clients write it. Without the dot, `:ctx:name` is an ordinary name.
  init(_ text: String) {
    guard text.hasPrefix(":.") else {
      self.init(context: Self.defaultContext, name: text)
      return
    }
    let parts = text.dropFirst().split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(context: String(parts[0]), name: parts.count == 2 ? String(parts[1]) : "")
  }

  /// A context as it is named in a path, with or without the dot.
  static func context(named name: String) -> String {
    let name = name.hasPrefix(":") ? Subject(name).context : name
    return name.hasPrefix(".") ? name : ".\(name)"
  }

  /// How the registry prints a subject.
  var qualified: String { context == Self.defaultContext ? name : ":\(context):\(name)" }

  /// What settings apply to a subject that has none of its own, the nearest first.
  var scopes: [Subject] { [self, Subject(context: context, name: ""), .everything] }

  /// How messages print the context; the genuine server prints nothing for the default one.
  var contextInMessages: String { context == Self.defaultContext ? "" : context }
}

/// Keys of settings in the state file.
extension Subject: Codable, CodingKeyRepresentable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var codingKey: any CodingKey { Key(stringValue: qualified) }

  init?(codingKey: some CodingKey) { self.init(codingKey.stringValue) }

  init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(qualified)
  }
}

/// What a `subjectPrefix` covers.
struct SubjectPrefix: Sendable {
  /// `nil` spans all contexts.
  private let context: String?
  private let name: String

  static let everything = SubjectPrefix(inAllContexts: "")

  init(_ prefix: Subject) { (context, name) = (prefix.context, prefix.name) }

  init(inAllContexts name: some StringProtocol) { (context, self.name) = (nil, String(name)) }

  func covers(_ subject: Subject) -> Bool {
    (context == nil || context == subject.context) && subject.name.hasPrefix(name)
  }
}
