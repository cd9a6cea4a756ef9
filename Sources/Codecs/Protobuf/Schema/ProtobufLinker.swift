/// Resolves the names of a file and of what it imports.
struct ProtobufLinker {
  var schema = ProtobufSchema()
  var types = ProtoTypeTable()
  var enumIDs: [String: ProtobufSchema.EnumID] = [:]

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
        let name = ProtoTypeTable.join(scope, type.name)
        try self.types.add(name, .enumeration(type))
        enumIDs[name] = schema.enumerations.count
        schema.enumerations.append(Set(type.constants.map(\.number)))
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

  mutating func add(
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
