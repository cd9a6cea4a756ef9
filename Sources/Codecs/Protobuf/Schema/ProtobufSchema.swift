internal import Foundation

/// A Protobuf schema with every name resolved: the messages of its file and of what it imports.
///
/// Messages live in one array and refer to each other by index, so a recursive schema is an ordinary value.
package struct ProtobufSchema: Sendable {
  package typealias MessageID = Int
  package typealias EnumID = Int

  /// The types without parts, by the words for them.
  package enum Scalar: String, Sendable, Hashable {
    case double, float, int64, uint64, int32, fixed64, fixed32, bool, string, bytes
    case uint32, sfixed32, sfixed64, sint32, sint64
  }

  package enum FieldType: Sendable, Hashable {
    case scalar(Scalar)
    case enumeration(EnumID)
    case message(MessageID)
    /// A proto2 group, which is not supported.
    case group
  }

  package enum Presence: Sendable, Hashable {
    /// Absent and empty are the same: a proto3 scalar without `optional`, outside any oneof.
    case implicit
    case explicit
    case oneof
    case repeated
  }

  package struct Field: Sendable, Hashable {
    package let name: String
    package let number: UInt32
    package let type: FieldType
    package let presence: Presence
    /// The inline tags: those of the option `confluent.field_meta`.
    package let tags: [String]
  }

  package struct Message: Sendable, Hashable {
    /// Package, enclosing messages and name.
    package let fullName: String
    /// Whether it is the entry of a map, spelled out or not.
    package let isMapEntry: Bool
    /// The name that the registry's own descriptor gives the entry of a map field where that differs from the
    /// compiler's (specification section A.3); tag patterns may be written for either.
    package let otherName: String?
    /// By number.
    package internal(set) var fields: [Field] = []
    /// Fields that other messages declare for it; clients do not walk them.
    package internal(set) var extensions: [Field] = []
    /// Nested messages, in the order in which they count in message indexes.
    package internal(set) var nested: [MessageID] = []
  }

  package internal(set) var messages: [Message] = []
  /// The numbers of each enum.
  package internal(set) var enumerations: [Set<Int32>] = []
  /// The messages at the top of the schema's own file, in the order in which they count in message indexes.
  package internal(set) var topLevel: [MessageID] = []
  var messageIDs: [String: MessageID] = [:]

  package subscript(_ message: MessageID) -> Message { messages[message] }
}

extension ProtobufSchema {
  /// Parses a schema and what it imports.
  ///
  /// - Parameters:
  ///   - text: `.proto` source, or the base64 of a FileDescriptorProto, which is what a registry returns for
  ///     `format=serialized`.
  ///   - references: what it imports, directly or not, in either form, named by import path, each after those it
  ///     imports itself. Files under `confluent/`, `google/protobuf/` and `google/type/` are built in.
  package init(
    parsing text: String, references: [ReferencedSchema] = []
  ) throws(ProtobufSchemaError) {
    self = try ProtobufLinker.link(ProtoFile(parsing: text), references: references)
  }
}

// MARK: - Choosing a message

extension ProtobufSchema {
  /// The message at an index path (specification section A.3), or `nil` when there is none.
  ///
  /// Indexes count what the schema's own form declares: entries of `map<…>` fields do not count in source and
  /// stand wherever they stand in a descriptor, which is the order of the registry in both.
  package func message(at indexes: [Int32]) -> MessageID? {
    var level = topLevel
    var found: MessageID?
    for index in indexes {
      guard level.indices.contains(Int(index)) else { return nil }
      found = level[Int(index)]
      level = messages[level[Int(index)]].nested
    }
    return found
  }

  /// The message with a full name, in this file or an imported one.
  package func message(named fullName: String) -> MessageID? { messageIDs[fullName] }

  /// The index path of a message of the schema's own file, to write in front of records.
  package func indexes(ofMessage fullName: String) -> [Int32]? {
    var path: [Int32] = []
    var level = topLevel
    while true {
      guard
        let index = level.firstIndex(where: {
          let name = messages[$0].fullName
          return name == fullName || fullName.hasPrefix("\(name).")
        })
      else { return nil }
      path.append(Int32(index))
      let message = messages[level[index]]
      if message.fullName == fullName { return path }
      level = message.nested
    }
  }
}

// MARK: - Reading either form

extension ProtoFile {
  /// Reads `.proto` source, or the base64 of a FileDescriptorProto. Throws ``ProtobufSchemaError``.
  package init(parsing text: String) throws(ProtobufSchemaError) {
    guard let descriptor = Self.descriptor(in: text) else {
      self = try ProtoParser.parse(text)
      return
    }
    self = try ProtoFile(descriptor: descriptor)
  }

  /// The bytes of a descriptor. Source has blanks, semicolons or braces in it, which base64 has not.
  private static func descriptor(in text: String) -> [UInt8]? {
    guard !text.isEmpty, text.utf8.count <= ProtobufSchemaLimits.fileCount * 4 / 3,
      let data = Data(base64Encoded: text)
    else { return nil }
    return Array(data)
  }
}

extension ProtobufSchema.Scalar {
  private static let descriptorTypes: [Self: Int32] = [
    .double: 1, .float: 2, .int64: 3, .uint64: 4, .int32: 5, .fixed64: 6, .fixed32: 7, .bool: 8, .string: 9,
    .bytes: 12, .uint32: 13, .sfixed32: 15, .sfixed64: 16, .sint32: 17, .sint64: 18,
  ]

  /// By the numbers of FieldDescriptorProto.Type.
  package init?(descriptorType: Int32) {
    guard let type = Self.descriptorTypes.first(where: { $0.value == descriptorType })?.key else {
      return nil
    }
    self = type
  }

  package var descriptorType: Int32? { Self.descriptorTypes[self] }
}
