extension ProtoFile {
  /// Reads a serialized FileDescriptorProto (descriptor.proto). Source positions, and options that a registry
  /// does not keep, are dropped. Throws ``ProtobufSchemaError``.
  package init(descriptor bytes: [UInt8]) throws(ProtobufSchemaError) {
    guard bytes.count <= ProtobufSchemaLimits.fileCount else {
      throw ProtobufSchemaError("more than \(ProtobufSchemaLimits.fileCount) bytes of descriptor")
    }
    let fields = try DescriptorFields(bytes)
    switch fields.text(12) {
    case nil, ""?: break
    case let name?:
      guard let syntax = Syntax(rawValue: name) else {
        throw ProtobufSchemaError("unknown syntax \"\(name)\"")
      }
      self.syntax = syntax
    }
    packageName = fields.text(2).flatMap { $0.isEmpty ? nil : $0 }
    let exported = Set(fields.integers(10))
    let weak = Set(fields.integers(11))
    imports = fields.texts(3).enumerated().map { index, path in
      let position = Int32(truncatingIfNeeded: index)
      return Import(
        path: path, kind: exported.contains(position) ? .exported : weak.contains(position) ? .weak : .plain)
    }
    options = try .init(descriptor: fields.message(8), .file)
    for message in try fields.messages(4) {
      types.append(.message(try ProtoMessage(descriptor: message, in: self, depth: 1)))
    }
    for type in try fields.messages(5) { types.append(.enumeration(try ProtoEnum(descriptor: type))) }
    for service in try fields.messages(6) { services.append(try ProtoService(descriptor: service)) }
    extensions = try Self.extensions(fields.messages(7), in: self)
  }

  fileprivate static func extensions(
    _ descriptors: [DescriptorFields], in file: ProtoFile
  ) throws(ProtobufSchemaError) -> [ProtoExtension] {
    var blocks: [ProtoExtension] = []
    var places: [String: Int] = [:]
    for descriptor in descriptors {
      let extended = descriptor.text(2) ?? ""
      let field = try ProtoField(descriptor: descriptor, in: file, isInOneof: false)
      if let place = places[extended] {
        blocks[place].fields.append(field)
      } else {
        places[extended] = blocks.count
        blocks.append(ProtoExtension(extended: extended, fields: [field]))
      }
    }
    return blocks
  }
}

extension ProtoMessage {
  fileprivate init(
    descriptor: DescriptorFields, in file: ProtoFile, depth: Int
  ) throws(ProtobufSchemaError) {
    guard depth <= ProtobufSchemaLimits.depth else {
      throw ProtobufSchemaError("more than \(ProtobufSchemaLimits.depth) levels inside each other")
    }
    self.init(name: descriptor.text(1) ?? "")
    var oneofs = try descriptor.messages(8).map { ProtoOneof(name: $0.text(1) ?? "") }
    for field in try descriptor.messages(2) {
      // What `optional` means in proto3 is spelled as a oneof of its own.
      guard let index = field.integer(9), !field.flag(17) else {
        fields.append(try ProtoField(descriptor: field, in: file, isInOneof: false))
        continue
      }
      guard oneofs.indices.contains(Int(index)) else {
        throw ProtobufSchemaError("a oneof that is not there", at: name)
      }
      oneofs[Int(index)].fields.append(try ProtoField(descriptor: field, in: file, isInOneof: true))
    }
    self.oneofs = oneofs.filter { !$0.fields.isEmpty }
    for message in try descriptor.messages(3) {
      types.append(.message(try ProtoMessage(descriptor: message, in: file, depth: depth + 1)))
    }
    for type in try descriptor.messages(4) { types.append(.enumeration(try ProtoEnum(descriptor: type))) }
    reserved = try ProtoReserved.statements(of: descriptor, ranges: 9, names: 10, includesEnd: false)
    for range in try descriptor.messages(5) {
      extensionRanges.append(ProtoExtensionRange(values: [.init(descriptor: range, includesEnd: false)]))
    }
    extensions = try ProtoFile.extensions(descriptor.messages(6), in: file)
    options = try .init(descriptor: descriptor.message(7), .message)
  }
}

extension ProtoField {
  fileprivate init(
    descriptor: DescriptorFields, in file: ProtoFile, isInOneof: Bool
  ) throws(ProtobufSchemaError) {
    let name = descriptor.text(1) ?? ""
    self.init(
      label: isInOneof ? nil : Self.label(of: descriptor, in: file),
      type: try Self.type(of: descriptor, name),
      name: name, number: descriptor.integer(3) ?? 0,
      options: try .init(descriptor: descriptor.message(8), .field))
    if file.syntax != .proto3, let value = descriptor.text(7) {
      let isText = type == .named("string") || type == .named("bytes")
      options.append(ProtoOption("default", isText ? .text(value) : .word(value)))
    }
    if let name = descriptor.text(10) { options.append(ProtoOption("json_name", .text(name))) }
  }

  private static func label(of descriptor: DescriptorFields, in file: ProtoFile) -> Label? {
    if descriptor.flag(17) { return .optional }
    switch descriptor.integer(4) {
    case 3: return .repeated
    case 2: return file.syntax == .proto3 ? nil : .required
    default: return file.syntax == .proto3 ? nil : .optional
    }
  }

  private static func type(
    of descriptor: DescriptorFields, _ name: String
  ) throws(ProtobufSchemaError) -> FieldType {
    let type = descriptor.integer(5) ?? 0
    if let typeName = descriptor.text(6) { return type == 10 ? .group(typeName) : .named(typeName) }
    guard let scalar = ProtobufSchema.Scalar(descriptorType: type) else {
      throw ProtobufSchemaError("a field without type", at: name)
    }
    return .named(scalar.rawValue)
  }
}

extension ProtoEnum {
  fileprivate init(descriptor: DescriptorFields) throws(ProtobufSchemaError) {
    self.init(name: descriptor.text(1) ?? "")
    for value in try descriptor.messages(2) {
      constants.append(
        Constant(
          name: value.text(1) ?? "", number: value.integer(2) ?? 0,
          options: try .init(descriptor: value.message(3), .enumConstant)))
    }
    options = try .init(descriptor: descriptor.message(3), .enumeration)
    reserved = try ProtoReserved.statements(of: descriptor, ranges: 4, names: 5, includesEnd: true)
  }
}

extension ProtoReserved {
  /// One statement for each range and each name.
  fileprivate static func statements(
    of descriptor: DescriptorFields, ranges: UInt32, names: UInt32, includesEnd: Bool
  ) throws(ProtobufSchemaError) -> [ProtoReserved] {
    var values: [Value] = []
    for range in try descriptor.messages(ranges) {
      values.append(Value(descriptor: range, includesEnd: includesEnd))
    }
    values += descriptor.texts(names).map { .name($0) }
    return values.map { ProtoReserved(values: [$0]) }
  }
}

extension ProtoReserved.Value {
  fileprivate init(descriptor: DescriptorFields, includesEnd: Bool) {
    let first = descriptor.integer(1) ?? 0
    let last = (descriptor.integer(2) ?? 0) &- (includesEnd ? 0 : 1)
    self = first == last ? .number(first) : .range(first, last)
  }
}

extension ProtoService {
  fileprivate init(descriptor: DescriptorFields) throws(ProtobufSchemaError) {
    self.init(name: descriptor.text(1) ?? "")
    for method in try descriptor.messages(2) {
      methods.append(
        Method(
          name: method.text(1) ?? "", request: method.text(2) ?? "", response: method.text(3) ?? "",
          streamsRequests: method.flag(5), streamsResponses: method.flag(6),
          options: try .init(descriptor: method.message(4), .method)))
    }
    options = try .init(descriptor: descriptor.message(3), .service)
  }
}
