package import JSON

/// What a part of a configuration document may look like.
///
/// One description serves three readers: the validator, the published JSON Schema, and people, through the
/// documentation texts in it. It stands beside the code that uses the values.
package indirect enum Shape: Sendable {
  /// Text; `pattern` is a JSON Schema (ECMA 262) pattern that documents, `check` is what decides.
  case text(TextShape)
  case integer(ClosedRange<Int>)
  case boolean
  /// One of a few words, each explained.
  case choice([Choice])
  /// Exactly the members named.
  case object([Member])
  /// An object with exactly one of the members: how a step names its kind.
  case oneMember([Member])
  case list(of: Shape, atLeast: Int)
  /// Property names with scalar values, as client libraries take them.
  case properties(PropertiesShape)
  /// The first shape that fits by its JSON type.
  case either([Shape])

  package struct TextShape: Sendable {
    package var pattern: String?
    package var examples: [String] = []
    /// Why a text is not acceptable; `nil` when it is.
    package var problem: @Sendable (String) -> String?
  }

  package struct Choice: Sendable {
    package let name: String
    package let documentation: String

    package init(_ name: String, _ documentation: String) {
      self.name = name
      self.documentation = documentation
    }
  }

  /// Any text.
  package static let text = Shape.text(examples: [])

  package static func text(
    pattern: String? = nil, examples: [String] = [],
    problem: @escaping @Sendable (String) -> String? = { _ in nil }
  ) -> Shape {
    .text(TextShape(pattern: pattern, examples: examples, problem: problem))
  }

  /// Text with something in it.
  package static let name = Shape.text(pattern: "\\S") { $0.isEmpty ? "must not be empty" : nil }
}

/// One member of an object.
package struct Member: Sendable {
  package let name: String
  package let shape: Shape
  package let documentation: String
  package let isRequired: Bool
  package let defaultValue: JSONValue?

  package init(
    _ name: String, _ shape: Shape, required: Bool = false, default defaultValue: JSONValue? = nil,
    _ documentation: String
  ) {
    self.name = name
    self.shape = shape
    self.documentation = documentation
    isRequired = required
    self.defaultValue = defaultValue
  }
}

/// Properties that are known by name, by prefix, or not at all.
package struct PropertiesShape: Sendable {
  package struct Property: Sendable {
    package let name: String
    package let documentation: String

    package init(_ name: String, _ documentation: String) {
      self.name = name
      self.documentation = documentation
    }
  }

  package var known: [Property]
  /// Prefixes after which any name may follow, such as `request.header.`.
  package var prefixes: [Property]
  /// Whether other names pass, because somebody else decides about them.
  package var isOpen: Bool

  package init(known: [Property], prefixes: [Property] = [], isOpen: Bool = false) {
    self.known = known
    self.prefixes = prefixes
    self.isOpen = isOpen
  }

  func accepts(_ name: String) -> Bool {
    isOpen || known.contains { $0.name == name }
      || prefixes.contains { name.hasPrefix($0.name) && name.count > $0.name.count }
  }
}

/// Something wrong with a configuration document. Never quotes a value that may be secret.
package struct Problem: Hashable, Sendable, CustomStringConvertible {
  /// JSON path, such as `$.source.topics[0]`.
  package let path: String
  package let message: String

  package init(_ path: String, _ message: String) {
    self.path = path
    self.message = message
  }

  package var description: String { "\(path): \(message)" }
}
