// Options. Each function begins behind the word that announces what it reads.
extension ProtoParser {
  /// `name = value;`
  mutating func optionStatement() throws(ProtobufSchemaError) -> ProtoOption {
    let option = try self.option()
    try expect(";")
    return option
  }

  /// `[name = value, …]`, or nothing.
  mutating func bracketedOptions() throws(ProtobufSchemaError) -> [ProtoOption] {
    guard try skip("[") else { return [] }
    var options: [ProtoOption] = []
    while try !skip("]") {
      options.append(try option())
      if try !skip(",") {
        try expect("]")
        break
      }
    }
    return options
  }

  private mutating func option() throws(ProtobufSchemaError) -> ProtoOption {
    var name = try optionNamePart()
    while try skip(".") { name += ".\(try optionNamePart())" }
    try expect("=")
    return ProtoOption(name, try constant())
  }

  private mutating func optionNamePart() throws(ProtobufSchemaError) -> String {
    guard try skip("(") else { return try word("an option name") }
    let extended = try path()
    try expect(")")
    return "(\(extended))"
  }

  private mutating func constant() throws(ProtobufSchemaError) -> ProtoConstant {
    if try skip("{") { return try message(endingWith: "}") }
    if try skip("[") { return try list() }
    return try scalar()
  }

  private mutating func scalar() throws(ProtobufSchemaError) -> ProtoConstant {
    if case .text = token { return .text(try text()) }
    let sign = try skip("-") ? "-" : try skip("+") ? "+" : ""
    switch token {
    case .number(let spelled):
      try advance()
      return .word(sign + spelled)
    case .word: return .word(sign + (try path()))
    default: throw error("expected a value")
    }
  }

  // MARK: Text format

  /// The inside of a message whose bracket is behind us.
  private mutating func message(endingWith end: Unicode.Scalar) throws(ProtobufSchemaError) -> ProtoConstant {
    try nested { (parser) throws(ProtobufSchemaError) in
      /// All values of each name, and where the name is in the list.
      var values: [(name: String, values: [ProtoConstant])] = []
      var places: [String: Int] = [:]
      while try !parser.skip(end) {
        let member = try parser.member()
        if let place = places[member.name] {
          values[place].values.append(member.value)
        } else {
          places[member.name] = values.count
          values.append((member.name, [member.value]))
        }
        if try !parser.skip(",") { _ = try parser.skip(";") }
      }
      return .message(values.map { .init($0.name, .joined($0.values)) })
    }
  }

  private mutating func member() throws(ProtobufSchemaError) -> ProtoConstant.Member {
    let name = try memberName()
    let hasColon = try skip(":")
    if try skip("{") { return .init(name, try message(endingWith: "}")) }
    if try skip("<") { return .init(name, try message(endingWith: ">")) }
    if try skip("[") { return .init(name, try list()) }
    guard hasColon else { throw error("expected \":\"") }
    return .init(name, try scalar())
  }

  /// A field, or an extension or type address in brackets.
  private mutating func memberName() throws(ProtobufSchemaError) -> String {
    guard try skip("[") else { return try word("a field name") }
    var name = try path()
    while try skip("/") { name += "/\(try path())" }
    try expect("]")
    return "[\(name)]"
  }

  private mutating func list() throws(ProtobufSchemaError) -> ProtoConstant {
    try nested { (parser) throws(ProtobufSchemaError) in
      var elements: [ProtoConstant] = []
      while try !parser.skip("]") {
        if try parser.skip("{") {
          elements.append(try parser.message(endingWith: "}"))
        } else if try parser.skip("<") {
          elements.append(try parser.message(endingWith: ">"))
        } else {
          elements.append(try parser.scalar())
        }
        if try !parser.skip(",") {
          try parser.expect("]")
          break
        }
      }
      return .list(elements)
    }
  }
}

extension ProtoConstant {
  /// The values of a field that is given once or several times.
  fileprivate static func joined(_ values: [ProtoConstant]) -> ProtoConstant {
    guard values.count > 1 else { return values.first ?? .list([]) }
    return .list(
      values.flatMap { value in
        if case .list(let elements) = value { return elements }
        return [value]
      })
  }
}
