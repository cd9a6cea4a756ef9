package import Codecs
package import SchemaRegistry

/// A registered schema in the form that its records are walked by.
package struct ParsedSchema: Sendable {
  package enum Form: Sendable {
    case avro(AvroSchema)
    case json(JSONSchema)
    case protobuf(ProtobufSchema)
  }

  package internal(set) var registered: RegisteredSchema
  package let references: [ReferencedSchema]
  package let form: Form

  /// Throws ``PlanRefusal`` when the text cannot be read; `name` is what messages call the schema.
  package init(
    _ schema: RegisteredSchema, references: [ReferencedSchema], named name: String
  ) throws(PlanRefusal) {
    registered = schema
    self.references = references
    do {
      switch schema.type {
      case .avro: form = .avro(try AvroSchema(parsing: schema.text, references: references.texts))
      case .json: form = .json(try JSONSchema(parsing: schema.text, references: references))
      case .protobuf: form = .protobuf(try ProtobufSchema(parsing: schema.text, references: references))
      }
    } catch {
      throw PlanRefusal(name, "it cannot be read: \(error)")
    }
  }

  /// Whether a record names its message type behind the schema.
  package var hasMessages: Bool {
    switch form {
    case .avro, .json: false
    case .protobuf: true
    }
  }

  /// The message types that records may be of; one `nil` where records do not say.
  package var messages: [MessagePath?] {
    switch form {
    case .avro, .json: [nil]
    case .protobuf(let schema): schema.paths(to: schema.topLevel, below: [])
    }
  }

  /// What the record name strategies call a record of this schema; `nil` when it has no name.
  func recordName(_ message: MessagePath?) -> String? {
    switch form {
    case .avro(let schema): schema.name
    case .json(let schema): schema.title
    case .protobuf(let schema):
      message.flatMap { schema.message(at: $0.indexes) }.map { schema[$0].fullName }
    }
  }
}

/// Which message type of a Protobuf file a record is of.
package struct MessagePath: Hashable, Sendable {
  /// From the file to the message type (specification section A.3).
  package let indexes: [Int32]
  /// The indexes as the records spell them.
  package let bytes: [UInt8]

  package init(indexes: [Int32], bytes: [UInt8]) {
    self.indexes = indexes
    self.bytes = bytes
  }

  /// The path as we write it.
  init(_ indexes: [Int32]) {
    let arena = ByteArena(capacity: 64)
    MessageIndexes.write(indexes, to: arena)
    self.init(indexes: indexes, bytes: Array(arena.bytes))
  }
}

extension ProtobufSchema {
  /// The paths to these messages and all inside of them; map entries are no records.
  fileprivate func paths(to messages: [MessageID], below path: [Int32]) -> [MessagePath] {
    messages.enumerated().flatMap { index, message -> [MessagePath] in
      guard !self[message].isMapEntry else { return [] }
      let own = path + [Int32(index)]
      return [MessagePath(own)] + paths(to: self[message].nested, below: own)
    }
  }
}
