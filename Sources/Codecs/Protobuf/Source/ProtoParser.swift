/// Reads `.proto` source, proto2 and proto3, into a ``ProtoFile``.
///
/// Accepts what describes fields without doubt and leaves finer points, such as the types of options, to the
/// registry that has accepted the schema.
struct ProtoParser {
  private var lexer: ProtoLexer
  private(set) var token = ProtoLexer.Token.end
  private var depth = 0

  /// Throws ``ProtobufSchemaError``.
  static func parse(_ text: String) throws(ProtobufSchemaError) -> ProtoFile {
    let bytes = Array(text.utf8)
    guard bytes.count <= ProtobufSchemaLimits.fileCount else {
      throw ProtobufSchemaError("more than \(ProtobufSchemaLimits.fileCount) bytes of source")
    }
    var parser = ProtoParser(lexer: ProtoLexer(bytes))
    try parser.advance()
    return try parser.file()
  }

  private init(lexer: ProtoLexer) { self.lexer = lexer }

  private mutating func file() throws(ProtobufSchemaError) -> ProtoFile {
    var file = ProtoFile()
    while token != .end {
      if try skip(";") { continue }
      switch try word("a declaration") {
      case "syntax":
        try expect("=")
        let name = try text()
        guard let syntax = ProtoFile.Syntax(rawValue: name) else { throw error("unknown syntax \"\(name)\"") }
        guard file.syntax == nil else { throw error("the syntax is declared twice") }
        file.syntax = syntax
        try expect(";")
      case "edition": throw error("editions are not supported, only proto2 and proto3")
      case "package":
        guard file.packageName == nil else { throw error("the package is declared twice") }
        file.packageName = try path()
        try expect(";")
      case "import": file.imports.append(try importStatement())
      case "option": file.options.append(try optionStatement())
      case "message": file.types.append(.message(try message()))
      case "enum": file.types.append(.enumeration(try enumeration()))
      case "extend": file.extensions.append(try extensionBlock())
      case "service": file.services.append(try service())
      case let other: throw error("\"\(other)\" begins no declaration")
      }
    }
    return file
  }

  private mutating func importStatement() throws(ProtobufSchemaError) -> ProtoFile.Import {
    var kind = ProtoFile.Import.Kind.plain
    if try skip(word: "public") {
      kind = .exported
    } else if try skip(word: "weak") {
      kind = .weak
    }
    let path = try text()
    try expect(";")
    return .init(path: path, kind: kind)
  }
}

// MARK: - Tokens

extension ProtoParser {
  mutating func advance() throws(ProtobufSchemaError) { token = try lexer.next() }

  /// An error at the current token.
  func error(_ reason: String) -> ProtobufSchemaError { ProtobufSchemaError(reason, at: lexer.place) }

  /// Goes past `symbol` if it is there.
  mutating func skip(_ symbol: Unicode.Scalar) throws(ProtobufSchemaError) -> Bool {
    guard token == .symbol(UInt8(ascii: symbol)) else { return false }
    try advance()
    return true
  }

  mutating func skip(word: String) throws(ProtobufSchemaError) -> Bool {
    guard token == .word(word) else { return false }
    try advance()
    return true
  }

  mutating func expect(_ symbol: Unicode.Scalar) throws(ProtobufSchemaError) {
    guard try skip(symbol) else { throw error("expected \"\(symbol)\"") }
  }

  mutating func word(_ what: String = "a name") throws(ProtobufSchemaError) -> String {
    guard case .word(let word) = token else { throw error("expected \(what)") }
    try advance()
    return word
  }

  /// Adjacent texts are one.
  mutating func text() throws(ProtobufSchemaError) -> String {
    guard case .text(var whole) = token else { throw error("expected a text in quotes") }
    try advance()
    while case .text(let more) = token {
      whole += more
      try advance()
    }
    return whole
  }

  /// Names with dots between them, and one in front for an absolute one.
  mutating func path() throws(ProtobufSchemaError) -> String {
    var path = try skip(".") ? "." : ""
    path += try word()
    while try skip(".") { path += ".\(try word())" }
    return path
  }

  mutating func integer() throws(ProtobufSchemaError) -> Int32 {
    let isNegative = try skip("-")
    guard case .number(let spelled) = token else { throw error("expected an integer") }
    let magnitude: Int64? =
      if spelled.lowercased().hasPrefix("0x") {
        Int64(spelled.dropFirst(2), radix: 16)
      } else {
        Int64(spelled, radix: spelled.hasPrefix("0") ? 8 : 10)
      }
    guard let magnitude, let value = Int32(exactly: isNegative ? -magnitude : magnitude) else {
      throw error("\(spelled) is no integer of 32 bits")
    }
    try advance()
    return value
  }

  /// Runs `body` one level further in.
  mutating func nested<Result>(
    _ body: (inout ProtoParser) throws(ProtobufSchemaError) -> Result
  ) throws(ProtobufSchemaError) -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= ProtobufSchemaLimits.depth else {
      throw error("more than \(ProtobufSchemaLimits.depth) levels inside each other")
    }
    return try body(&self)
  }
}
