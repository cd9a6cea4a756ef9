// Fields and their types.
extension ProtobufLinker {
  func group(_ group: ProtoGroup, _ scope: String) throws(ProtobufSchemaError) -> ProtobufSchema.Field {
    ProtobufSchema.Field(
      name: group.message.name.lowercased(),
      number: try Self.number(group.number, "\(scope).\(group.message.name)"),
      type: .group, presence: group.label == .repeated ? .repeated : .explicit,
      tags: try group.options.fieldTags(in: nil))
  }

  mutating func field(
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

  mutating func type(
    of field: ProtoField, in scope: String, of file: ProtoFile
  ) throws(ProtobufSchemaError) -> ProtobufSchema.FieldType {
    switch field.type {
    case .group: return .group
    case .named(let name): return try type(named: name, in: scope)
    case .map(let key, let value): return .message(try mapEntry(of: field, key, value, in: scope, of: file))
    }
  }

  func type(named name: String, in scope: String) throws(ProtobufSchemaError)
    -> ProtobufSchema.FieldType
  {
    if let scalar = ProtobufSchema.Scalar(rawValue: name) { return .scalar(scalar) }
    guard let (fullName, type) = types.find(name, from: scope) else {
      throw ProtobufSchemaError("could not resolve type: \(name)", at: scope)
    }
    switch type {
    case .enumeration:
      guard let id = enumIDs[fullName] else {
        throw ProtobufSchemaError("could not resolve type: \(name)", at: scope)
      }
      return .enumeration(id)
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
}
