/// A `.proto` file as it is written: names are not resolved, options not interpreted, comments dropped.
///
/// Both forms that a registry keeps come to this one: source text and a FileDescriptorProto.
package struct ProtoFile: Sendable, Hashable {
  package enum Syntax: String, Sendable {
    case proto2, proto3
  }

  package struct Import: Sendable, Hashable {
    package enum Kind: Sendable { case plain, exported, weak }

    package var path: String
    package var kind = Kind.plain

    package init(path: String, kind: Kind = .plain) {
      self.path = path
      self.kind = kind
    }
  }

  /// `nil` when the file does not say, which means proto2.
  package var syntax: Syntax?
  package var packageName: String?
  package var imports: [Import] = []
  package var options: [ProtoOption] = []
  package var types: [ProtoType] = []
  package var extensions: [ProtoExtension] = []
  package var services: [ProtoService] = []

  /// Whether a singular field without label has no presence of its own.
  package var hasImplicitPresence: Bool { syntax == .proto3 }
}

package indirect enum ProtoType: Sendable, Hashable {
  case message(ProtoMessage)
  case enumeration(ProtoEnum)
}

package struct ProtoMessage: Sendable, Hashable {
  package var name: String
  package var options: [ProtoOption] = []
  package var fields: [ProtoField] = []
  package var oneofs: [ProtoOneof] = []
  package var groups: [ProtoGroup] = []
  /// Nested ones, in the order in which they count in message indexes (specification section A.3).
  package var types: [ProtoType] = []
  package var reserved: [ProtoReserved] = []
  package var extensionRanges: [ProtoExtensionRange] = []
  package var extensions: [ProtoExtension] = []

  package init(name: String) { self.name = name }

  /// Whether it is what `map<…>` stands for, spelled out.
  package var isMapEntry: Bool {
    options.contains { $0.name == "map_entry" && $0.value == .word("true") }
  }
}

package struct ProtoField: Sendable, Hashable {
  package enum Label: String, Sendable {
    case optional, required, repeated
  }

  package enum FieldType: Sendable, Hashable {
    /// A scalar, or the name of a message or enum as written; a leading dot makes it absolute.
    case named(String)
    case map(key: String, value: String)
    /// The name of the group's message.
    case group(String)
  }

  package var label: Label?
  package var type: FieldType
  package var name: String
  package var number: Int32
  /// `default` and `json_name` among them.
  package var options: [ProtoOption] = []

  package init(label: Label? = nil, type: FieldType, name: String, number: Int32, options: [ProtoOption] = [])
  {
    self.label = label
    self.type = type
    self.name = name
    self.number = number
    self.options = options
  }
}

package struct ProtoOneof: Sendable, Hashable {
  package var name: String
  package var options: [ProtoOption] = []
  package var fields: [ProtoField] = []
  package var groups: [ProtoGroup] = []
}

/// A proto2 group: a field and its message in one.
package struct ProtoGroup: Sendable, Hashable {
  package var label: ProtoField.Label?
  package var number: Int32
  package var options: [ProtoOption] = []
  package var message: ProtoMessage
}

package struct ProtoEnum: Sendable, Hashable {
  package struct Constant: Sendable, Hashable {
    package var name: String
    package var number: Int32
    package var options: [ProtoOption] = []
  }

  package var name: String
  package var options: [ProtoOption] = []
  package var constants: [Constant] = []
  package var reserved: [ProtoReserved] = []
}

/// One `reserved` statement.
package struct ProtoReserved: Sendable, Hashable {
  package enum Value: Sendable, Hashable {
    case number(Int32)
    /// Both ends included.
    case range(Int32, Int32)
    case name(String)
  }

  package var values: [Value]
}

/// One `extensions` statement; its values have no names.
package struct ProtoExtensionRange: Sendable, Hashable {
  package var values: [ProtoReserved.Value]
  package var options: [ProtoOption] = []
}

/// One `extend` block.
package struct ProtoExtension: Sendable, Hashable {
  package var extended: String
  package var fields: [ProtoField]
}

package struct ProtoService: Sendable, Hashable {
  package struct Method: Sendable, Hashable {
    package var name: String
    package var request: String
    package var response: String
    package var streamsRequests = false
    package var streamsResponses = false
    package var options: [ProtoOption] = []
  }

  package var name: String
  package var options: [ProtoOption] = []
  package var methods: [Method] = []
}
