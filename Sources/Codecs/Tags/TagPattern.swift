/// A path pattern of a schema's `metadata.tags` (specification section D.3).
///
/// Patterns reach the reference clients as regular expressions: `**` becomes `.*`, `*` becomes `[^.]*`, `?`
/// becomes `[^.]`, and the whole name must match. Square brackets pass through and so make character classes
/// by accident; a backslash stands for itself and hands the next character to the expression unescaped, which
/// the vectors of both the Python and the JVM client show. Patterns that use more of regular expressions than
/// that are refused, because guessing which fields they name could leave one in the clear.
package struct TagPattern: Sendable {
  package let text: String
  private let steps: [Step]

  /// Throws when the clients would not accept the pattern either, or when it needs more than is understood.
  package init(_ text: String) throws(TagPatternError) {
    self.text = text
    steps = try Self.compiled(Self.expression(for: text), of: text)
  }

  /// Whether the pattern names this field. Time is bounded by the product of both lengths.
  package func matches(_ name: String) -> Bool { accepts(progress(start, over: name)) }
}

// MARK: - Matching

extension TagPattern {
  /// How far a pattern has got in a name that is read piece by piece. There are finitely many, however long the
  /// name grows, which is what lets recursive schemas be compiled.
  struct Progress: Hashable, Sendable {
    /// At *i*: whether some reading of the name so far is matched by the first *i* steps.
    fileprivate var reached: [Bool]

    /// Whether no continuation of the name can match any more.
    var isDead: Bool { !reached.contains(true) }
  }

  /// Before the first character.
  var start: Progress {
    var start = Progress(reached: [Bool](repeating: false, count: steps.count + 1))
    start.reached[0] = true
    spread(&start.reached)
    return start
  }

  func progress(_ progress: Progress, over text: String) -> Progress {
    guard !progress.isDead else { return progress }
    var reached = progress.reached
    for scalar in text.unicodeScalars {
      var next = [Bool](repeating: false, count: steps.count + 1)
      for (index, step) in steps.enumerated() where reached[index] && step.accepts(scalar) {
        next[step.repeats ? index : index + 1] = true
      }
      reached = next
      spread(&reached)
    }
    return Progress(reached: reached)
  }

  /// Whether the name is matched if it ends here.
  func accepts(_ progress: Progress) -> Bool { progress.reached[steps.count] }

  /// A repeated step may also match nothing.
  private func spread(_ reached: inout [Bool]) {
    for (index, step) in steps.enumerated() where reached[index] && step.repeats { reached[index + 1] = true }
  }
}

/// A pattern of `metadata.tags` that cannot be honoured.
package struct TagPatternError: Error, Equatable, CustomStringConvertible {
  package let pattern: String
  package let reason: String

  package var description: String { "the tag path pattern \"\(pattern)\" \(reason)" }
}

// MARK: - Translation

extension TagPattern {
  /// The regular expression that the clients make of the pattern, without anchors.
  static func expression(for pattern: String) -> [Unicode.Scalar] {
    let source = Array(withoutRedundantStars(pattern).unicodeScalars)
    var expression: [Unicode.Scalar] = []
    var index = 0
    while index < source.count {
      let scalar = source[index]
      index += 1
      switch scalar {
      case "*" where index < source.count && source[index] == "*":
        expression += [".", "*"]
        index += 1
      case "*": expression += ["[", "^", ".", "]", "*"]
      case "?": expression += ["[", "^", ".", "]"]
      case ".", "+", "{", "}", "(", ")", "|", "^", "$": expression += ["\\", scalar]
      case "\\":
        expression += ["\\", "\\"]
        if index + 1 < source.count {
          expression.append(source[index])
          index += 1
        }
      default: expression.append(scalar)
      }
    }
    return expression
  }

  /// `**.*` means `**`.
  private static func withoutRedundantStars(_ pattern: String) -> String {
    pattern.split(separator: "**.*", omittingEmptySubsequences: false).joined(separator: "**")
  }
}

// MARK: - Compilation

extension TagPattern {
  private struct Step: Sendable {
    enum Accepted: Sendable {
      case literal(Unicode.Scalar)
      case anyButLineEnd
      case members([ClosedRange<Unicode.Scalar>], negated: Bool)
    }

    let accepted: Accepted
    var repeats = false

    func accepts(_ scalar: Unicode.Scalar) -> Bool {
      switch accepted {
      case .literal(let literal): scalar == literal
      case .anyButLineEnd: !["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
      case .members(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
      }
    }
  }

  private static func compiled(
    _ expression: [Unicode.Scalar], of text: String
  ) throws(TagPatternError) -> [Step] {
    var steps: [Step] = []
    var index = 0
    while index < expression.count {
      let scalar = expression[index]
      index += 1
      switch scalar {
      case "*":
        guard let last = steps.indices.last, !steps[last].repeats else {
          throw TagPatternError(pattern: text, reason: "repeats nothing")
        }
        steps[last].repeats = true
      case ".": steps.append(Step(accepted: .anyButLineEnd))
      case "[": steps.append(Step(accepted: try members(of: expression, from: &index, of: text)))
      case "\\" where index < expression.count:
        steps.append(Step(accepted: .literal(expression[index])))
        index += 1
      case "+", "?", "{", "(", ")", "|", "^", "$":
        throw TagPatternError(pattern: text, reason: "uses \"\(scalar)\" as a regular expression would")
      default: steps.append(Step(accepted: .literal(scalar)))
      }
    }
    return steps
  }

  /// The inside of a character class whose opening bracket is behind us.
  private static func members(
    of expression: [Unicode.Scalar], from index: inout Int, of text: String
  ) throws(TagPatternError) -> Step.Accepted {
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    let negated = index < expression.count && expression[index] == "^"
    if negated { index += 1 }
    while index < expression.count, expression[index] != "]" || ranges.isEmpty {
      let first = try member(of: expression, from: &index, of: text)
      guard index + 1 < expression.count, expression[index] == "-", expression[index + 1] != "]" else {
        ranges.append(first...first)
        continue
      }
      index += 1
      let last = try member(of: expression, from: &index, of: text)
      guard first <= last else {
        throw TagPatternError(pattern: text, reason: "has a range that runs backwards")
      }
      ranges.append(first...last)
    }
    guard index < expression.count else {
      throw TagPatternError(pattern: text, reason: "has a bracket that does not end")
    }
    index += 1
    return .members(ranges, negated: negated)
  }

  private static func member(
    of expression: [Unicode.Scalar], from index: inout Int, of text: String
  ) throws(TagPatternError) -> Unicode.Scalar {
    if expression[index] == "\\", index + 1 < expression.count { index += 1 }
    let scalar = expression[index]
    // Java gives both a meaning inside a class (union and intersection) that nobody intends in a path.
    if scalar == "[" || scalar == "&" {
      throw TagPatternError(pattern: text, reason: "has \"\(scalar)\" inside brackets")
    }
    index += 1
    return scalar
  }
}
