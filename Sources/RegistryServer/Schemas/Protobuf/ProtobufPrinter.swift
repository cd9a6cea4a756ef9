internal import Codecs

/// Prints a Protobuf schema the registry's way: comments dropped, sections in a fixed order with an empty line in
/// front of each, messages before enums (specification section B.2).
enum ProtobufPrinter {
  static func print(_ file: ProtoFile) -> String {
    var text = PrintedText()
    if let syntax = file.syntax { text.line("syntax = \"\(syntax.rawValue)\";") }
    if let name = file.packageName { text.line("package \(name);") }
    text.section(file.imports.filter { $0.kind != .weak }.sortedPlainFirst()) { text, file in
      text.line("import \(file.kind == .exported ? "public " : "")\"\(file.path)\";")
    }
    text.section(file.options) { $0.statement($1) }
    text.section(file.types.messagesFirst()) { $0.print($1) }
    text.section(file.extensions) { $0.print($1) }
    text.section(file.services) { $0.print($1) }
    return text.text
  }
}

extension [ProtoFile.Import] {
  fileprivate func sortedPlainFirst() -> Self {
    filter { $0.kind == .plain } + filter { $0.kind == .exported }
  }
}

extension [ProtoType] {
  /// Message indexes count messages only, so their order stands.
  fileprivate func messagesFirst() -> Self {
    func isMessage(_ type: ProtoType) -> Bool {
      if case .message = type { return true }
      return false
    }
    return filter(isMessage) + filter { !isMessage($0) }
  }
}

// MARK: - Declarations

extension PrintedText {
  fileprivate mutating func print(_ type: ProtoType) {
    switch type {
    case .message(let message): print(message)
    case .enumeration(let type): print(type)
    }
  }

  private mutating func print(_ message: ProtoMessage) {
    block("message \(message.name)") { text in
      text.section(message.reserved) { $0.line("reserved \(Self.list($1.values));") }
      text.section(message.options) { $0.statement($1) }
      text.section(message.fields) { $0.print($1) }
      text.section(message.oneofs) { $0.print($1) }
      text.section(message.groups) { $0.print($1) }
      text.section(message.extensionRanges) { text, range in
        text.line("extensions \(Self.list(range.values))\(Self.bracketed(range.options));")
      }
      text.section(message.extensions) { $0.print($1) }
      text.section(message.types.messagesFirst()) { $0.print($1) }
    }
  }

  private mutating func print(_ field: ProtoField) {
    let label = field.label.map { "\($0.rawValue) " } ?? ""
    let type =
      switch field.type {
      case .named(let name), .group(let name): name
      case .map(let key, let value): "map<\(key), \(value)>"
      }
    // These two are printed behind all others.
    let special = ["default", "json_name"]
    let options =
      field.options.filter { !special.contains($0.name) }
      + special.flatMap { name in field.options.filter { $0.name == name } }
    line("\(label)\(type) \(field.name) = \(field.number)\(Self.bracketed(options));")
  }

  private mutating func print(_ oneof: ProtoOneof) {
    block("oneof \(oneof.name)") { text in
      text.section(oneof.options) { $0.statement($1) }
      text.section(oneof.fields) { $0.print($1) }
      text.section(oneof.groups) { $0.print($1) }
    }
  }

  private mutating func print(_ group: ProtoGroup) {
    let label = group.label.map { "\($0.rawValue) " } ?? ""
    block("\(label)group \(group.message.name) = \(group.number)") { text in
      text.section(group.message.fields) { $0.print($1) }
    }
  }

  fileprivate mutating func print(_ block: ProtoExtension) {
    self.block("extend \(block.extended)") { text in text.section(block.fields) { $0.print($1) } }
  }

  private mutating func print(_ type: ProtoEnum) {
    block("enum \(type.name)") { text in
      text.section(type.reserved) { $0.line("reserved \(Self.list($1.values));") }
      if type.reserved.isEmpty, !type.options.isEmpty || !type.constants.isEmpty { text.emptyLine() }
      for option in type.options { text.statement(option) }
      for constant in type.constants {
        text.line("\(constant.name) = \(constant.number)\(Self.bracketed(constant.options));")
      }
    }
  }

  fileprivate mutating func print(_ service: ProtoService) {
    block("service \(service.name)") { text in
      text.section(service.options) { $0.statement($1) }
      text.section(service.methods) { $0.print($1) }
    }
  }

  private mutating func print(_ method: ProtoService.Method) {
    let request = (method.streamsRequests ? "stream " : "") + method.request
    let response = (method.streamsResponses ? "stream " : "") + method.response
    let signature = "rpc \(method.name) (\(request)) returns (\(response))"
    guard !method.options.isEmpty else { return line("\(signature);") }
    line("\(signature) {")
    indented { text in for option in method.options { text.statement(option) } }
    line("};")
  }

  private static func list(_ values: [ProtoReserved.Value]) -> String {
    values.map { value in
      switch value {
      case .number(let number): "\(number)"
      case .name(let name): "\"\(name)\""
      case .range(let first, let last):
        "\(first) to \(last < ProtoReserved.maximum ? String(last) : "max")"
      }
    }.joined(separator: ", ")
  }
}

// MARK: - Options

extension PrintedText {
  fileprivate mutating func statement(_ option: ProtoOption) { line("option \(Self.text(of: option));") }

  private static func text(of option: ProtoOption) -> String {
    if case .list(let elements) = option.value {
      return "\(option.name) = \(inBrackets(elements.map(text), staysOnLine: elements.count == 1))"
    }
    return "\(option.name) = \(text(of: option.value))"
  }

  private static func bracketed(_ options: [ProtoOption]) -> String {
    options.isEmpty ? "" : " " + inBrackets(options.map(text), staysOnLine: options.count == 1)
  }

  private static func text(of value: ProtoConstant) -> String {
    switch value {
    case .word(let word): word
    case .text(let text): "\"\(escaped(text))\""
    case .list(let elements): inBrackets(elements.map(text), staysOnLine: false)
    case .message(let members):
      "{\n" + indented(members.map { "\($0.name): \(text(of: $0.value))" }) + "}"
    }
  }

  private static func inBrackets(_ elements: [String], staysOnLine: Bool) -> String {
    staysOnLine ? "[\(elements.joined())]" : "[\n\(indented(elements))]"
  }

  /// One under the other, with commas between them.
  private static func indented(_ elements: [String]) -> String {
    var text = PrintedText()
    text.indented { text in
      for (index, element) in elements.enumerated() {
        text.line(index < elements.count - 1 ? "\(element)," : element)
      }
    }
    return text.text
  }

  private static func escaped(_ text: String) -> String {
    let escapes: [Unicode.Scalar: String] = [
      "\u{7}": "\\a", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{B}": "\\v",
      "\\": "\\\\", "'": "\\'", "\"": "\\\"",
    ]
    return text.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
  }
}
