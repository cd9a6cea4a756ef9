extension JSONValue {
  /// The document as text: compact, or with two spaces a level and a line per member.
  ///
  /// Only quotes, backslashes and control characters are escaped, as Jackson does.
  package func serialized(pretty: Bool = false) -> String {
    var text = ""
    write(into: &text, indentation: pretty ? 0 : nil)
    return text
  }

  private func write(into text: inout String, indentation: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .number(let spelling): text += spelling
    case .string(let string): Self.write(string, into: &text)
    case .array(let elements):
      Self.write(elements, between: "[", and: "]", into: &text, indentation) { element, text, inner in
        element.write(into: &text, indentation: inner)
      }
    case .object(let members):
      Self.write(members, between: "{", and: "}", into: &text, indentation) { member, text, inner in
        Self.write(member.name, into: &text)
        text += inner == nil ? ":" : ": "
        member.value.write(into: &text, indentation: inner)
      }
    }
  }

  private static func write<Element>(
    _ elements: some Sequence<Element>, between open: String, and close: String, into text: inout String,
    _ indentation: Int?, writeElement: (Element, inout String, Int?) -> Void
  ) {
    let inner = indentation.map { $0 + 1 }
    var isEmpty = true
    text += open
    for element in elements {
      if !isEmpty { text += "," }
      isEmpty = false
      if let inner { text += "\n" + String(repeating: "  ", count: inner) }
      writeElement(element, &text, inner)
    }
    if let indentation, !isEmpty { text += "\n" + String(repeating: "  ", count: indentation) }
    text += close
  }

  private static func write(_ string: String, into text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{08}": text += "\\b"
      case "\u{0C}": text += "\\f"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\0"..."\u{1F}":
        let digits = String(scalar.value, radix: 16, uppercase: true)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
