package import JSON

/// Fills `${NAME}`, `${NAME:-default}` and `${file:path}` into the texts of a configuration document, so that
/// secrets need not be written in it. `$${` stands for `${`.
package struct Interpolation: Sendable {
  private let environment: [String: String]
  private let readFile: @Sendable (String) throws -> String
  /// Names that mean something to the document itself and are left as they stand.
  private let reserved: Set<String>

  /// - Parameter readFile: returns the text of a file; whoever makes it decides what a relative path is
  ///   relative to, and how large a file may be.
  package init(
    environment: [String: String], reserved: Set<String> = [],
    readFile: @escaping @Sendable (String) throws -> String
  ) {
    self.environment = environment
    self.reserved = reserved
    self.readFile = readFile
  }

  /// The document with every text filled in, and what could not be.
  package func filled(_ value: JSONValue) -> (value: JSONValue, problems: [Problem]) {
    var problems: [Problem] = []
    let filled = fill(value, at: "$", &problems)
    return (filled, problems)
  }

  private func fill(_ value: JSONValue, at path: String, _ problems: inout [Problem]) -> JSONValue {
    switch value {
    case .string(let text): return .string(fill(text, at: path, &problems))
    case .array(let elements):
      return .array(elements.enumerated().map { fill($1, at: "\(path)[\($0)]", &problems) })
    case .object(let members):
      var filled = JSONObject()
      for (name, value) in members {
        filled[name] = fill(value, at: JSONPath.child(name, of: path), &problems)
      }
      return .object(filled)
    default: return value
    }
  }

  private func fill(_ text: String, at path: String, _ problems: inout [Problem]) -> String {
    var filled = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      filled += rest[..<dollar]
      rest = rest[dollar...]
      if rest.hasPrefix("$${") {
        filled += "${"
        rest = rest.dropFirst(3)
      } else if rest.hasPrefix("${") {
        guard let end = rest.firstIndex(of: "}") else {
          problems.append(Problem(path, "\"${\" without \"}\"; write \"$${\" for the characters themselves"))
          return text
        }
        filled += value(of: rest[rest.index(rest.startIndex, offsetBy: 2)..<end], at: path, &problems)
        rest = rest[rest.index(after: end)...]
      } else {
        filled += "$"
        rest = rest.dropFirst()
      }
    }
    return filled + rest
  }

  private func value(of expression: Substring, at path: String, _ problems: inout [Problem]) -> String {
    if reserved.contains(String(expression)) { return "${\(expression)}" }
    if expression.hasPrefix("file:") {
      do {
        return try readFile(String(expression.dropFirst(5)))
      } catch {
        problems.append(Problem(path, "\(expression): \(error)"))
        return ""
      }
    }
    let parts = expression.split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, isName(name) else {
      problems.append(
        Problem(path, "\(beginning(of: expression)) is neither ${NAME}, ${NAME:-default} nor ${file:path}"))
      return ""
    }
    // As in a shell, an empty variable takes the default too.
    if let value = environment[String(name)], !value.isEmpty || parts.count == 1 { return value }
    if parts.count == 2 { return String(parts[1]) }
    problems.append(Problem(path, "the environment variable \(name) is not set"))
    return ""
  }

  /// What may be quoted of an expression that is none: a name in front. The rest may be a secret that somebody
  /// put there as a default, with another shell's syntax.
  private func beginning(of expression: Substring) -> String {
    let name = expression.prefix { !":-=?+".contains($0) }
    return name.endIndex < expression.endIndex && isName(name) ? "\"${\(name)…}\"" : "what \"${\" begins"
  }

  private func isName(_ name: Substring) -> Bool {
    !name.isEmpty && name.first?.isNumber == false
      && name.allSatisfy { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
  }
}
