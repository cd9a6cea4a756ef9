internal import Codecs

/// Makes the FileDescriptorProto that the registry returns for `format=serialized`, byte for byte: the file is
/// called `default`, members of oneofs come before other fields, entries of maps behind declared messages, and type
/// names are those of the source (specification section A.3).
///
/// Groups and options that descriptor.proto does not have are left out.
struct DescriptorWriter {
  private let file: ProtoFile
  private let types: ProtoTypeTable
  /// Paths of imports that lead somewhere.
  private let known: Set<String>

  /// Throws ``ProtobufSchemaError``.
  static func write(
    _ file: ProtoFile, references: [ReferencedSchema]
  ) throws(ProtobufSchemaError) -> [UInt8] {
    let files = try ProtoImports.files(of: file, references: references)
    let types = try ProtoTypeTable(files.map(\.file))
    return DescriptorWriter(file: file, types: types, known: Set(files.map(\.path))).descriptor().bytes
  }

  private func descriptor() -> WireBytes {
    var bytes = WireBytes()
    bytes.add(1, "default")
    bytes.add(2, file.packageName)
    let imports = file.imports.filter { known.contains($0.path) && $0.kind != .weak }
    let ordered = imports.filter { $0.kind == .plain } + imports.filter { $0.kind == .exported }
    for entry in ordered { bytes.add(3, entry.path) }
    let scope = file.packageName ?? ""
    for type in file.types {
      if case .message(let message) = type { bytes.add(4, self.message(message, in: scope)) }
    }
    for type in file.types {
      if case .enumeration(let type) = type { bytes.add(5, enumeration(type)) }
    }
    for service in file.services { bytes.add(6, self.service(service)) }
    for block in file.extensions {
      for field in block.fields { bytes.add(7, self.field(field, in: scope, extended: block.extended)) }
    }
    bytes.add(8, WireBytes(options: file.options, .file))
    for (index, entry) in ordered.enumerated() where entry.kind == .exported { bytes.add(10, Int32(index)) }
    bytes.add(12, file.syntax?.rawValue)
    return bytes
  }

  // MARK: Messages

  private func message(_ message: ProtoMessage, in scope: String) -> WireBytes {
    let scope = ProtoTypeTable.join(scope, message.name)
    var bytes = WireBytes()
    bytes.add(1, message.name)
    for (index, oneof) in message.oneofs.enumerated() {
      for field in oneof.fields { bytes.add(2, self.field(field, in: scope, label: .optional, oneof: index)) }
    }
    // What `optional` means in proto3 is spelled as a oneof of its own.
    let isProto3 = file.syntax == .proto3
    let optional = message.fields.filter { isProto3 && $0.label == .optional }.map(\.name)
    for field in message.fields {
      let oneof = optional.firstIndex(of: field.name).map { message.oneofs.count + $0 }
      bytes.add(
        2, self.field(field, in: scope, label: field.label, oneof: oneof, isProto3Optional: oneof != nil))
    }
    for type in message.types {
      if case .message(let nested) = type { bytes.add(3, self.message(nested, in: scope)) }
    }
    for field in message.fields { bytes.add(3, mapEntry(of: field, in: scope)) }
    for type in message.types {
      if case .enumeration(let nested) = type { bytes.add(4, enumeration(nested)) }
    }
    for range in message.extensionRanges {
      for value in range.values {
        var range = value.range(includesEnd: false)
        range?.add(3, WireBytes())
        bytes.add(5, range)
      }
    }
    for block in message.extensions {
      for field in block.fields { bytes.add(6, self.field(field, in: scope, extended: block.extended)) }
    }
    bytes.add(7, WireBytes(options: message.options, .message))
    for name in message.oneofs.map(\.name) + optional.map({ "_\($0)" }) {
      var oneof = WireBytes()
      oneof.add(1, name)
      oneof.add(2, WireBytes())
      bytes.add(8, oneof)
    }
    for value in message.reserved.flatMap(\.values) { bytes.add(9, value.range(includesEnd: false)) }
    for value in message.reserved.flatMap(\.values) { bytes.add(10, value.name) }
    return bytes
  }

  private func mapEntry(of field: ProtoField, in scope: String) -> WireBytes? {
    guard case .map(let key, let value) = field.type else { return nil }
    var bytes = WireBytes()
    bytes.add(1, ProtoTypeTable.mapEntryName(of: field.name))
    bytes.add(2, self.field(ProtoField(type: .named(key), name: "key", number: 1), in: scope))
    bytes.add(2, self.field(ProtoField(type: .named(value), name: "value", number: 2), in: scope))
    bytes.add(7, WireBytes(options: [ProtoOption("map_entry", .word("true"))], .message))
    return bytes
  }

  private func field(
    _ field: ProtoField, in scope: String, label: ProtoField.Label? = nil, oneof: Int? = nil,
    isProto3Optional: Bool = false, extended: String? = nil
  ) -> WireBytes {
    var bytes = WireBytes()
    bytes.add(1, field.name)
    bytes.add(2, extended)
    bytes.add(3, field.number)
    switch field.type {
    case .map:
      bytes.add(4, ProtoField.Label.repeated.number)
      bytes.add(6, ProtoTypeTable.mapEntryName(of: field.name))
    case .named(let name), .group(let name):
      bytes.add(4, (label ?? (extended == nil ? nil : field.label))?.number)
      let scalar = ProtobufSchema.Scalar(rawValue: name)
      bytes.add(5, scalar?.descriptorType ?? number(ofType: name, in: scope))
      bytes.add(6, scalar == nil ? name : nil)
    }
    bytes.add(7, field.options.text("default"))
    bytes.add(8, WireBytes(options: field.options, .field))
    bytes.add(9, oneof.map { Int32($0) })
    bytes.add(10, field.options.text("json_name"))
    bytes.add(17, isProto3Optional)
    return bytes
  }

  private func number(ofType name: String, in scope: String) -> Int32? {
    switch types.find(name, from: scope)?.type {
    case .message?: 11
    case .enumeration?: 14
    case nil: nil
    }
  }

  // MARK: Enums and services

  private func enumeration(_ type: ProtoEnum) -> WireBytes {
    var bytes = WireBytes()
    bytes.add(1, type.name)
    for constant in type.constants {
      var value = WireBytes()
      value.add(1, constant.name)
      value.add(2, constant.number)
      value.add(3, WireBytes(options: constant.options, .enumConstant))
      bytes.add(2, value)
    }
    bytes.add(3, WireBytes(options: type.options, .enumeration))
    for value in type.reserved.flatMap(\.values) { bytes.add(4, value.range(includesEnd: true)) }
    for value in type.reserved.flatMap(\.values) { bytes.add(5, value.name) }
    return bytes
  }

  private func service(_ service: ProtoService) -> WireBytes {
    var bytes = WireBytes()
    bytes.add(1, service.name)
    for method in service.methods {
      var value = WireBytes()
      value.add(1, method.name)
      value.add(2, method.request)
      value.add(3, method.response)
      value.add(4, WireBytes(options: method.options, .method))
      value.add(5, method.streamsRequests)
      value.add(6, method.streamsResponses)
      bytes.add(2, value)
    }
    bytes.add(3, WireBytes(options: service.options, .service))
    return bytes
  }
}

extension ProtoField.Label {
  /// By the numbers of FieldDescriptorProto.Label.
  fileprivate var number: Int32 {
    switch self {
    case .optional: 1
    case .required: 2
    case .repeated: 3
    }
  }
}

extension ProtoReserved.Value {
  /// A range as descriptors have it, or `nil` for a name.
  fileprivate func range(includesEnd: Bool) -> WireBytes? {
    let (first, last): (Int32, Int32)
    switch self {
    case .name: return nil
    case .number(let number): (first, last) = (number, number)
    case .range(let lower, let upper): (first, last) = (lower, upper)
    }
    var bytes = WireBytes()
    bytes.add(1, first)
    bytes.add(2, includesEnd ? last : last &+ 1)
    return bytes
  }

  fileprivate var name: String? {
    if case .name(let name) = self { return name }
    return nil
  }
}

extension [ProtoOption] {
  fileprivate func text(_ name: String) -> String? {
    switch last(where: { $0.name == name })?.value {
    case .text(let text)?, .word(let text)?: text
    default: nil
    }
  }
}
