/// Resolves the names of a file and of what it imports.
struct ProtobufLinker {
  private var schema = ProtobufSchema()
  private var types = ProtoTypeTable()

  static func link(
    _ file: ProtoFile, references: [ReferencedSchema]
  ) throws(ProtobufSchemaError) -> ProtobufSchema {
    var linker = ProtobufLinker()
    let files = try ProtoImports.files(of: file, references: references)
    for (index, imported) in files.enumerated() {
      do {
        let declared = try linker.declare(imported.file)
        if index == files.count - 1 { linker.schema.topLevel = declared }
      } catch {
        throw imported.path.isEmpty ? error : error.inside(imported.path)
      }
    }
    for imported in files {
      do { try linker.define(imported.file) } catch {
        throw imported.path.isEmpty ? error : error.inside(imported.path)
      }
    }
    return linker.schema
  }

  // MARK: Declaring

  /// Makes the messages of a file known, without fields. Returns those at the top.
  private mutating func declare(_ file: ProtoFile) throws(ProtobufSchemaError) -> [ProtobufSchema.MessageID] {
    try declare(file.types, in: file.packageName ?? "")
  }

  private mutating func declare(
    _ types: [ProtoType], in scope: String
  ) throws(ProtobufSchemaError) -> [ProtobufSchema.MessageID] {
    var declared: [ProtobufSchema.MessageID] = []
    for type in types {
      switch type {
      case .message(let message): declared.append(try declare(message, in: scope))
      case .enumeration(let type):
        try self.types.add(ProtoTypeTable.join(scope, type.name), .enumeration(type))
      }
    }
    return declared
  }

  private mutating func declare(
    _ message: ProtoMessage, in scope: String
  ) throws(ProtobufSchemaError) -> ProtobufSchema.MessageID {
    let name = ProtoTypeTable.join(scope, message.name)
    try types.add(name, .message(message))
    let id = add(name, isMapEntry: message.isMapEntry)
    schema.messageIDs[name] = id
    let nested = try declare(message.types, in: name)
    schema.messages[id].nested = nested
    return id
  }

  private mutating func add(
    _ name: String, isMapEntry: Bool, otherName: String? = nil
  ) -> ProtobufSchema.MessageID {
    let id = schema.messages.count
    schema.messages.append(.init(fullName: name, isMapEntry: isMapEntry, otherName: otherName))
    return id
  }

  // MARK: Defining

  private mutating func define(_ file: ProtoFile) throws(ProtobufSchemaError) {
    let scope = file.packageName ?? ""
    for type in file.types {
      if case .message(let message) = type { try define(message, in: scope, of: file) }
    }
    try extend(file.extensions, in: scope, of: file)
  }

  private mutating func define(
    _ message: ProtoMessage, in scope: String, of file: ProtoFile
  ) throws(ProtobufSchemaError) {
    let name = ProtoTypeTable.join(scope, message.name)
    guard let id = schema.messageIDs[name] else { return }
    var fields: [ProtobufSchema.Field] = []
    for field in message.fields { fields.append(try self.field(field, in: name, of: file)) }
    for oneof in message.oneofs {
      for field in oneof.fields { fields.append(try self.field(field, in: name, of: file, isInOneof: true)) }
    }
    for group in message.groups + message.oneofs.flatMap(\.groups) {
      fields.append(try self.group(group, name))
    }
    schema.messages[id].fields = try Self.sorted(fields, of: name)
    for type in message.types {
      if case .message(let nested) = type { try define(nested, in: name, of: file) }
    }
    try extend(message.extensions, in: name, of: file)
  }

  private static func sorted(
    _ fields: [ProtobufSchema.Field], of name: String
  ) throws(ProtobufSchemaError) -> [ProtobufSchema.Field] {
    let sorted = fields.sorted { $0.number < $1.number }
    for (field, next) in zip(sorted, sorted.dropFirst()) where field.number == next.number {
      throw ProtobufSchemaError("the fields \(field.name) and \(next.name) have the same number", at: name)
    }
    var names: Set<String> = []
    for field in fields where !names.insert(field.name).inserted {
      throw ProtobufSchemaError("the field \(field.name) is declared twice", at: name)
    }
    return sorted
  }

  private func group(_ group: ProtoGroup, _ scope: String) throws(ProtobufSchemaError) -> ProtobufSchema.Field
  {
    ProtobufSchema.Field(
      name: group.message.name.lowercased(),
      number: try Self.number(group.number, "\(scope).\(group.message.name)"),
      type: .group, presence: group.label == .repeated ? .repeated : .explicit,
      tags: try group.options.fieldTags(in: nil))
  }

  private mutating func field(
    _ field: ProtoField, in scope: String, of file: ProtoFile, isInOneof: Bool = false
  ) throws(ProtobufSchemaError) -> ProtobufSchema.Field {
    let name = "\(scope).\(field.name)"
    let type = try type(of: field, in: scope, of: file)
    let presence: ProtobufSchema.Presence
    switch (type, field.type) {
    case (_, .map): presence = .repeated
    case _ where field.label == .repeated: presence = .repeated
    case _ where isInOneof: presence = .oneof
    case (.message, _), (.group, _): presence = .explicit
    default: presence = file.hasImplicitPresence && field.label == nil ? .implicit : .explicit
    }
    let tags: [String]
    do { tags = try field.options.fieldTags(in: file.packageName) } catch { throw error.inside(name) }
    return ProtobufSchema.Field(
      name: field.name, number: try Self.number(field.number, name), type: type, presence: presence,
      tags: tags)
  }

  private static func number(_ number: Int32, _ name: String) throws(ProtobufSchemaError) -> UInt32 {
    guard (1...ProtoReserved.maximum).contains(number) else {
      throw ProtobufSchemaError("\(number) is no field number", at: name)
    }
    return UInt32(number)
  }

  private mutating func type(
    of field: ProtoField, in scope: String, of file: ProtoFile
  ) throws(ProtobufSchemaError) -> ProtobufSchema.FieldType {
    switch field.type {
    case .group: return .group
    case .named(let name): return try type(named: name, in: scope)
    case .map(let key, let value): return .message(try mapEntry(of: field, key, value, in: scope, of: file))
    }
  }

  private func type(named name: String, in scope: String) throws(ProtobufSchemaError)
    -> ProtobufSchema.FieldType
  {
    if let scalar = ProtobufSchema.Scalar(rawValue: name) { return .scalar(scalar) }
    guard let (fullName, type) = types.find(name, from: scope) else {
      throw ProtobufSchemaError("could not resolve type: \(name)", at: scope)
    }
    switch type {
    case .enumeration(let type): return .enumeration(Set(type.constants.map(\.number)))
    case .message:
      guard let id = schema.messageIDs[fullName] else {
        throw ProtobufSchemaError("could not resolve type: \(name)", at: scope)
      }
      return .message(id)
    }
  }

  /// The message that a `map<…>` field stands for.
  private mutating func mapEntry(
    of field: ProtoField, _ key: String, _ value: String, in scope: String, of file: ProtoFile
  ) throws(ProtobufSchemaError) -> ProtobufSchema.MessageID {
    let name = "\(scope).\(ProtoTypeTable.compiledMapEntryName(of: field.name))"
    let registryName = "\(scope).\(ProtoTypeTable.mapEntryName(of: field.name))"
    let presence: ProtobufSchema.Presence = file.hasImplicitPresence ? .implicit : .explicit
    let keyType = try type(named: key, in: scope)
    let valueType = try type(named: value, in: scope)
    guard case .scalar = keyType else {
      throw ProtobufSchemaError("\(key) is no type for keys", at: "\(scope).\(field.name)")
    }
    let valuePresence = if case .message = valueType { ProtobufSchema.Presence.explicit } else { presence }
    let id = add(name, isMapEntry: true, otherName: registryName == name ? nil : registryName)
    schema.messages[id].fields = [
      .init(name: "key", number: 1, type: keyType, presence: presence, tags: []),
      .init(name: "value", number: 2, type: valueType, presence: valuePresence, tags: []),
    ]
    return id
  }

  /// What extends messages that are not known, such as those of descriptor.proto, is of no interest.
  private mutating func extend(
    _ blocks: [ProtoExtension], in scope: String, of file: ProtoFile
  ) throws(ProtobufSchemaError) {
    for block in blocks {
      guard let name = types.find(block.extended, from: scope)?.fullName, let id = schema.messageIDs[name]
      else {
        continue
      }
      for field in block.fields {
        schema.messages[id].extensions.append(try self.field(field, in: scope, of: file))
      }
    }
  }
}
