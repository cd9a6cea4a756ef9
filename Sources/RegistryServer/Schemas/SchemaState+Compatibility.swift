internal import Codecs

extension Config.Compatibility {
  /// Whether the new schema must read what the old ones wrote.
  fileprivate var isBackward: Bool {
    switch self {
    case .backward, .backwardTransitive, .full, .fullTransitive: true
    case .none, .forward, .forwardTransitive: false
    }
  }

  /// Whether the old schemas must read what the new one writes.
  fileprivate var isForward: Bool {
    switch self {
    case .forward, .forwardTransitive, .full, .fullTransitive: true
    case .none, .backward, .backwardTransitive: false
    }
  }

  /// Whether all old schemas count, not only the latest.
  fileprivate var isTransitive: Bool {
    self == .backwardTransitive || self == .forwardTransitive || self == .fullTransitive
  }
}

extension SchemaState {
  /// Throws 40901.
  func checkCompatibility(
    of content: SchemaContent, with versions: [SchemaVersion], in subject: Subject
  ) throws(APIError) {
    let problems = try incompatibilities(of: content, with: versions, in: subject)
    guard problems.isEmpty else { throw .incompatible(subject, problems) }
  }

  /// What speaks against a schema as the next version of a subject; nothing when it is compatible.
  ///
  /// Avro and Protobuf are checked. JSON Schema only has to stay what it is.
  ///
  /// - Parameter versions: ascending.
  func incompatibilities(
    of content: SchemaContent, with versions: [SchemaVersion], in subject: Subject
  ) throws(APIError) -> [String] {
    let level = compatibility(of: subject)
    let group = config(\.compatibilityGroup, for: subject)
    let members = versions.filter { version in
      group.map { version.content.metadata?.properties[$0] == content.metadata?.properties[$0] } ?? true
    }
    guard level != .none else { return [] }
    for version in level.isTransitive ? members.reversed() : Array(members.suffix(1)) {
      let problems = try incompatibilities(of: content, with: version, at: level, in: subject.context)
      if !problems.isEmpty {
        let fields = config(\.validateFields, for: subject) ?? false
        return problems + ["{validateFields: '\(fields)', compatibility: '\(level.rawValue)'}"]
      }
    }
    return []
  }

  private func incompatibilities(
    of content: SchemaContent, with version: SchemaVersion, at level: Config.Compatibility, in context: String
  ) throws(APIError) -> [String] {
    guard content.type == version.content.type else {
      return ["Incompatible because of different schema type"]
    }
    var problems: [String] = []
    switch content.type {
    case .avro:
      let new = try avroSchema(content, in: context)
      let old = try avroSchema(version.content, in: context)
      if level.isBackward {
        problems += AvroCompatibility.problems(reader: new, writer: old, readerIsNew: true)
      }
      if level.isForward {
        problems += AvroCompatibility.problems(reader: old, writer: new, readerIsNew: false)
      }
    case .protobuf:
      let new = try protobufSide(content, in: context)
      let old = try protobufSide(version.content, in: context)
      if level.isBackward {
        problems += ProtobufCompatibility.problems(reader: new, writer: old, readerIsNew: true)
      }
      if level.isForward {
        problems += ProtobufCompatibility.problems(reader: old, writer: new, readerIsNew: false)
      }
    case .json: break
    }
    guard !problems.isEmpty else { return [] }
    return problems + [
      "{oldSchemaVersion: \(version.number)}", "{oldSchema: '\(version.content.text)'}",
    ]
  }

  private func avroSchema(_ content: SchemaContent, in context: String) throws(APIError) -> AvroSchema {
    let references = try resolved(content.references, of: content.type, in: context).texts
    do {
      return try AvroSchema(parsing: content.text, references: references)
    } catch {
      throw .invalidSchema(content.type, error.description)
    }
  }

  private func protobufSide(
    _ content: SchemaContent, in context: String
  ) throws(APIError) -> ProtobufCompatibility.Side {
    let references = try resolved(content.references, of: content.type, in: context)
    do {
      return try ProtobufCompatibility.Side(content.text, references: references)
    } catch {
      throw .invalidSchema(content.type, error.description)
    }
  }
}
