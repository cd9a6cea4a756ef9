internal import Codecs

/// Whether data written with one Protobuf schema can be read with another, and if not, why, by the rules of the
/// genuine server: fields are paired by number, messages by name; types of imported files only have to be called
/// the same.
struct ProtobufCompatibility {
  /// A schema to compare. Throws ``ProtobufSchemaError``.
  struct Side {
    let file: ProtoFile
    let types: ProtoTypeTable

    init(_ text: String, references: [ReferencedSchema]) throws(ProtobufSchemaError) {
      file = try ProtoFile(parsing: text)
      types = try ProtoTypeTable(ProtoImports.files(of: file, references: references).map(\.file))
    }
  }

  private let reader: Side
  private let writer: Side
  /// How messages call the reader's and the writer's schema.
  private let names: (reader: String, writer: String)
  private var problems: [String] = []

  /// Problems in the form the genuine server prints; none when the data can be read.
  static func problems(reader: Side, writer: Side, readerIsNew: Bool) -> [String] {
    var check = ProtobufCompatibility(
      reader: reader, writer: writer, names: readerIsNew ? ("new", "old") : ("old", "new"))
    if reader.file.packageName != writer.file.packageName {
      check.add("PACKAGE_CHANGED", "#/", "The package", "does not match the package")
    }
    check.compare(
      reader.file.types, reader.file.packageName ?? "", writer.file.types, writer.file.packageName ?? "", "#/"
    )
    return check.problems
  }

  private init(reader: Side, writer: Side, names: (reader: String, writer: String)) {
    self.reader = reader
    self.writer = writer
    self.names = names
  }

  /// "`what` at path '…' in the new schema `verb` in the old schema".
  private mutating func add(_ type: String, _ path: String, _ what: String, _ verb: String) {
    problems.append(
      "{errorType:\"\(type)\", description:\"\(what) at path '\(path)' in the \(names.reader) schema \(verb) "
        + "in the \(names.writer) schema\"}")
  }

  private mutating func addMissing(_ type: String, _ path: String, _ what: String) {
    problems.append(
      "{errorType:\"\(type)\", description:\"The \(names.reader) schema is missing \(what) at path '\(path)' "
        + "in the \(names.writer) schema\"}")
  }

  // MARK: Messages

  private mutating func compare(
    _ read: [ProtoType], _ readerScope: String, _ written: [ProtoType], _ writerScope: String, _ path: String
  ) {
    for case .message(let message) in written {
      let inner = "\(path)\(message.name)"
      guard let other = read.message(named: message.name) else {
        if !message.isMapEntry { addMissing("MESSAGE_REMOVED", inner, "a MESSAGE type") }
        continue
      }
      compareFields(
        MessageFields(other, ProtoTypeTable.join(readerScope, other.name)),
        MessageFields(message, ProtoTypeTable.join(writerScope, message.name)), "\(inner)/")
      compare(
        other.types, ProtoTypeTable.join(readerScope, other.name), message.types,
        ProtoTypeTable.join(writerScope, message.name), "\(inner)/")
    }
  }

  /// The fields of one message by number, with the oneofs they are in.
  private struct MessageFields {
    let scope: String
    private(set) var fields: [Int32: ProtoField] = [:]
    private(set) var oneofs: [Int32: String] = [:]
    let declaredOneofs: [ProtoOneof]

    init(_ message: ProtoMessage, _ scope: String) {
      self.scope = scope
      declaredOneofs = message.oneofs
      for field in message.fields { fields[field.number] = field }
      for oneof in message.oneofs {
        for field in oneof.fields {
          fields[field.number] = field
          oneofs[field.number] = oneof.name
        }
      }
    }

    func place(of number: Int32, _ path: String) -> String {
      oneofs[number].map { "\(path)\($0)/\(number)" } ?? "\(path)\(number)"
    }
  }

  private mutating func compareFields(_ read: MessageFields, _ written: MessageFields, _ path: String) {
    compareOneofs(read, written, path)
    for number in Set(read.fields.keys).union(written.fields.keys).sorted() {
      switch (read.fields[number], written.fields[number]) {
      case (let field?, let other?):
        compareTypes(
          ComparedType(of: field, in: read.scope, reader), ComparedType(of: other, in: written.scope, writer),
          read.place(of: number, path))
      case (let field?, nil) where field.label == .required:
        add("REQUIRED_FIELD_ADDED", "\(path)\(number)", "A required field ", "is missing")
      case (nil, let field?):
        if let oneof = written.oneofs[number] {
          let survives = written.declaredOneofs.first { $0.name == oneof }?.fields.contains {
            read.fields[$0.number] != nil
          }
          if survives == true || read.declaredOneofs.contains(where: { $0.name == oneof }) {
            addMissing("ONEOF_FIELD_REMOVED", written.place(of: number, path), "a oneof field")
          }
        } else if field.label == .required {
          addMissing("REQUIRED_FIELD_REMOVED", "\(path)\(number)", "a required field")
        }
      default: break
      }
    }
  }

  /// Fields that did not exclude each other must not begin to.
  private mutating func compareOneofs(_ read: MessageFields, _ written: MessageFields, _ path: String) {
    for oneof in read.declaredOneofs {
      let known = oneof.fields.map(\.number).filter { written.fields[$0] != nil }
      let moved = known.filter { written.oneofs[$0] == nil }
      guard moved.count + Set(known.compactMap { written.oneofs[$0] }).count > 1 else { continue }
      let verb = "outside \(moved.count > 1 ? "a" : "an existing") oneof"
      add(
        moved.count > 1 ? "MULTIPLE_FIELDS_MOVED_TO_ONEOF" : "FIELD_MOVED_TO_EXISTING_ONEOF",
        path + oneof.name, moved.count > 1 ? "Multiple fields in the oneof" : "A field in the oneof",
        "\(moved.count > 1 ? "are" : "is") \(verb)")
    }
  }

  // MARK: Types

  private mutating func compareTypes(_ read: ComparedType, _ written: ComparedType, _ path: String) {
    switch (read.kind, written.kind) {
    case (.scalar(let kind), .scalar(let other)):
      if kind != other {
        add("FIELD_SCALAR_KIND_CHANGED", path, "The kind of a SCALAR field", "does not match its kind")
      } else if kind != "text", let label = read.label, let otherLabel = written.label, label != otherLabel {
        add("FIELD_NUMERIC_LABEL_CHANGED", path, "The label for a NUMERIC field", "does not match its label")
      }
    case (.message(let name), .message(let other)):
      if name != other {
        add("FIELD_NAMED_TYPE_CHANGED", path, "The type of a MESSAGE field", "does not match its type")
      }
    case (.map, .map):
      for (part, other) in zip(read.parts, written.parts) { compareTypes(part, other, path) }
    default: add("FIELD_KIND_CHANGED", path, "The type of a field", "does not match its type")
    }
  }
}

extension [ProtoType] {
  fileprivate func message(named name: String) -> ProtoMessage? {
    for case .message(let message) in self where message.name == name { return message }
    return nil
  }
}
