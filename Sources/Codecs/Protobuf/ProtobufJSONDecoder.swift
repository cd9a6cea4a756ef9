internal import Foundation
package import JSON

/// Reads a Protobuf body into a JSON document, for people to look at; the record path never builds one.
///
/// Fields go by their names as declared; 64-bit integers are text and bytes are base64, as in the JSON mapping of
/// Protobuf; enums are their numbers. Fields that the schema does not have are left out.
package struct ProtobufJSONDecoder {
  private let schema: ProtobufSchema
  private var reader: ProtobufReader
  private var depth = 0

  /// Throws ``RecordError`` where the body does not follow the schema.
  package static func document(
    _ body: UnsafeRawBufferPointer, schema: ProtobufSchema, message: ProtobufSchema.MessageID
  ) throws(RecordError) -> JSONValue {
    var decoder = ProtobufJSONDecoder(schema: schema, reader: ProtobufReader(body))
    return .object(try decoder.members(of: schema[message]))
  }

  private mutating func members(of message: ProtobufSchema.Message) throws(RecordError) -> JSONObject {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    var members = JSONObject()
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard let field = message.fields.first(where: { $0.number == tag.number }) else {
        try reader.skip(tag.type)
        continue
      }
      try read(field, tag.type, into: &members)
    }
    return members
  }

  private mutating func read(
    _ field: ProtobufSchema.Field, _ type: ProtobufReader.WireType, into members: inout JSONObject
  ) throws(RecordError) {
    guard field.presence == .repeated else {
      members[field.name] = try value(field.type, type)
      return
    }
    if case .message(let entry) = field.type, schema[entry].isMapEntry {
      let parts = try value(field.type, type)
      var map = members.take(field.name)?.object ?? [:]
      map[parts["key"].map { $0.string ?? $0.serialized() } ?? ""] = parts["value"] ?? .null
      members[field.name] = .object(map)
      return
    }
    var elements = members.take(field.name)?.array ?? []
    if type == .lengthDelimited, let element = field.type.packedWireType {
      let outer = reader.enter(try reader.length())
      while !reader.isAtEnd { elements.append(try value(field.type, element)) }
      reader.leave(outer)
    } else {
      elements.append(try value(field.type, type))
    }
    members[field.name] = .array(elements)
  }

  private mutating func value(
    _ fieldType: ProtobufSchema.FieldType, _ type: ProtobufReader.WireType
  ) throws(RecordError) -> JSONValue {
    switch (fieldType, type) {
    case (.message(let message), .lengthDelimited):
      let outer = reader.enter(try reader.length())
      defer { reader.leave(outer) }
      return .object(try members(of: schema[message]))
    case (.enumeration, .varint): return .number(String(Int32(truncatingIfNeeded: try reader.number())))
    case (.scalar(let scalar), type) where scalar.wireType == type: return try value(scalar)
    default: throw RecordError(.wrongWireType, at: reader.position)
    }
  }

  private mutating func value(_ scalar: ProtobufSchema.Scalar) throws(RecordError) -> JSONValue {
    switch scalar {
    case .string: return .string(String(decoding: try reader.bytes(try reader.length()), as: UTF8.self))
    case .bytes: return .string(Data(try reader.bytes(try reader.length())).base64EncodedString())
    case .bool: return .bool(try reader.number() != 0)
    case .int32: return .number(String(Int32(truncatingIfNeeded: try reader.number())))
    case .uint32: return .number(String(UInt32(truncatingIfNeeded: try reader.number())))
    case .sint32: return .number(String(Int32(truncatingIfNeeded: Self.unzigzag(try reader.number()))))
    case .int64: return .string(String(Int64(bitPattern: try reader.number())))
    case .uint64: return .string(String(try reader.number()))
    case .sint64: return .string(String(Self.unzigzag(try reader.number())))
    case .fixed32: return .number(String(try fixedWidth(UInt32.self)))
    case .sfixed32: return .number(String(Int32(bitPattern: try fixedWidth(UInt32.self))))
    case .fixed64: return .string(String(try fixedWidth(UInt64.self)))
    case .sfixed64: return .string(String(Int64(bitPattern: try fixedWidth(UInt64.self))))
    case .float: return Self.number(Double(Float(bitPattern: try fixedWidth(UInt32.self))))
    case .double: return Self.number(Double(bitPattern: try fixedWidth(UInt64.self)))
    }
  }

  private static func unzigzag(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  private mutating func fixedWidth<Value: FixedWidthInteger>(_: Value.Type) throws(RecordError) -> Value {
    Value(littleEndian: try reader.bytes(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
  }

  /// JSON has no spelling for what is not finite.
  private static func number(_ value: Double) -> JSONValue {
    value.isFinite ? .number("\(value)") : .string("\(value)")
  }
}

extension ProtobufSchema.Scalar {
  fileprivate var wireType: ProtobufReader.WireType {
    switch self {
    case .double, .fixed64, .sfixed64: .eightBytes
    case .float, .fixed32, .sfixed32: .fourBytes
    case .string, .bytes: .lengthDelimited
    case .int64, .uint64, .int32, .bool, .uint32, .sint32, .sint64: .varint
    }
  }
}

extension ProtobufSchema.FieldType {
  /// How the elements stand in a packed list; `nil` for what is never packed.
  fileprivate var packedWireType: ProtobufReader.WireType? {
    switch self {
    case .enumeration: .varint
    case .scalar(let scalar) where scalar.wireType != .lengthDelimited: scalar.wireType
    case .scalar, .message, .group: nil
    }
  }
}
