// Messages, fields and enums. Each function begins behind the word that announces what it reads.
extension ProtoParser {
  mutating func message() throws(ProtobufSchemaError) -> ProtoMessage {
    var message = ProtoMessage(name: try word())
    try body(of: &message)
    return message
  }

  private mutating func body(of message: inout ProtoMessage) throws(ProtobufSchemaError) {
    let finished = try nested { (parser) throws(ProtobufSchemaError) in
      var message = message
      try parser.expect("{")
      while try !parser.skip("}") { try parser.member(of: &message) }
      return message
    }
    message = finished
  }

  private mutating func member(of message: inout ProtoMessage) throws(ProtobufSchemaError) {
    if try skip(";") { return }
    if case .symbol(UInt8(ascii: ".")) = token {
      return message.fields.append(try field(label: nil, type: .named(try path())))
    }
    switch try word("a field or declaration") {
    case "message": message.types.append(.message(try self.message()))
    case "enum": message.types.append(.enumeration(try enumeration()))
    case "option": message.options.append(try optionStatement())
    case "extend": message.extensions.append(try extensionBlock())
    case "reserved": message.reserved.append(.init(values: try reserved()))
    case "extensions": message.extensionRanges.append(try extensionRange())
    case "oneof": message.oneofs.append(try oneof())
    case let first:
      let label = ProtoField.Label(rawValue: first)
      if label != nil ? try skip(word: "group") : first == "group" {
        message.groups.append(try group(label: label))
      } else {
        let type = try type(beginningWith: label == nil ? first : nil)
        message.fields.append(try field(label: label, type: type))
      }
    }
  }

  // MARK: Fields

  /// `first` is the type's first word where it has been read already.
  private mutating func type(beginningWith first: String?) throws(ProtobufSchemaError) -> ProtoField.FieldType
  {
    guard let first else {
      if case .word(let word) = token {
        try advance()
        return try type(beginningWith: word)
      }
      return .named(try path())
    }
    if first == "map", try skip("<") {
      let key = try path()
      try expect(",")
      let value = try path()
      try expect(">")
      return .map(key: key, value: value)
    }
    return .named(try skip(".") ? "\(first).\(try path())" : first)
  }

  private mutating func field(
    label: ProtoField.Label?, type: ProtoField.FieldType
  ) throws(ProtobufSchemaError) -> ProtoField {
    var field = ProtoField(label: label, type: type, name: try word("a field name"), number: 0)
    try expect("=")
    field.number = try integer()
    field.options = try bracketedOptions()
    try expect(";")
    return field
  }

  private mutating func group(label: ProtoField.Label?) throws(ProtobufSchemaError) -> ProtoGroup {
    var message = ProtoMessage(name: try word())
    try expect("=")
    let number = try integer()
    let options = try bracketedOptions()
    try body(of: &message)
    return ProtoGroup(label: label, number: number, options: options, message: message)
  }

  private mutating func oneof() throws(ProtobufSchemaError) -> ProtoOneof {
    var oneof = ProtoOneof(name: try word())
    try expect("{")
    while try !skip("}") {
      if try skip(";") { continue }
      if try skip(word: "option") {
        oneof.options.append(try optionStatement())
      } else if try skip(word: "group") {
        oneof.groups.append(try group(label: nil))
      } else {
        oneof.fields.append(try field(label: nil, type: try type(beginningWith: nil)))
      }
    }
    return oneof
  }

  mutating func extensionBlock() throws(ProtobufSchemaError) -> ProtoExtension {
    var block = ProtoExtension(extended: try path(), fields: [])
    try expect("{")
    while try !skip("}") {
      if try skip(";") { continue }
      guard case .word(let first) = token, let label = ProtoField.Label(rawValue: first) else {
        block.fields.append(try field(label: nil, type: try type(beginningWith: nil)))
        continue
      }
      try advance()
      if token == .word("group") { throw error("groups are not supported in extensions") }
      block.fields.append(try field(label: label, type: try type(beginningWith: nil)))
    }
    return block
  }

  // MARK: Numbers and names set aside

  private mutating func reserved() throws(ProtobufSchemaError) -> [ProtoReserved.Value] {
    var values: [ProtoReserved.Value] = []
    repeat {
      switch token {
      case .text: values.append(.name(try text()))
      case .word: values.append(.name(try word()))
      default: values.append(try range())
      }
    } while try skip(",")
    try expect(";")
    return values
  }

  private mutating func extensionRange() throws(ProtobufSchemaError) -> ProtoExtensionRange {
    var range = ProtoExtensionRange(values: [])
    repeat { range.values.append(try self.range()) } while try skip(",")
    range.options = try bracketedOptions()
    try expect(";")
    return range
  }

  private mutating func range() throws(ProtobufSchemaError) -> ProtoReserved.Value {
    let first = try integer()
    guard try skip(word: "to") else { return .number(first) }
    if try skip(word: "max") { return .range(first, ProtoReserved.maximum) }
    return .range(first, try integer())
  }

  // MARK: Enums

  mutating func enumeration() throws(ProtobufSchemaError) -> ProtoEnum {
    var type = ProtoEnum(name: try word())
    try expect("{")
    while try !skip("}") {
      if try skip(";") { continue }
      switch try word("an enum constant") {
      case "option" where token != .symbol(UInt8(ascii: "=")): type.options.append(try optionStatement())
      case "reserved" where token != .symbol(UInt8(ascii: "=")):
        type.reserved.append(.init(values: try reserved()))
      case let name:
        try expect("=")
        let number = try integer()
        type.constants.append(.init(name: name, number: number, options: try bracketedOptions()))
        try expect(";")
      }
    }
    return type
  }
}

extension ProtoReserved {
  /// What `max` stands for: the largest field number.
  package static let maximum: Int32 = 536_870_911
}
