internal import JSON

/// One version of a subject.
struct SchemaVersion: Hashable, Codable, Sendable {
  let subject: Subject
  let number: Int
  /// Of the content, within the subject's context.
  let id: Int
  let guid: String
  let content: SchemaContent
  /// Milliseconds since 1970 of the registration.
  let time: Int
  var isDeleted = false
}

// MARK: - Printing

extension SchemaVersion {
  enum Member {
    case subject, version, id, guid, schemaType, references, metadata, ruleSet, schema, maxID, time, deleted
  }

  /// What each endpoint prints, in the server's order (specification section B.2, "Exact answers").
  enum Form {
    static let registered: [Member] = [
      .id, .version, .guid, .schemaType, .references, .metadata, .ruleSet, .schema,
    ]
    static let lookedUp: [Member] = [
      .subject, .version, .id, .guid, .schemaType, .references, .metadata, .schema, .ruleSet,
    ]
    static let version: [Member] = [
      .subject, .version, .id, .guid, .schemaType, .references, .metadata, .schema, .time, .deleted, .ruleSet,
    ]
    static let byID: [Member] = [
      .subject, .version, .guid, .schemaType, .schema, .references, .metadata, .ruleSet, .maxID, .time,
      .deleted,
    ]
    static let byGUID: [Member] = [
      .guid, .schemaType, .schema, .references, .metadata, .ruleSet, .time, .deleted,
    ]
  }

  /// - Parameters:
  ///   - text: the schema in another format than the stored one.
  ///   - maxID: the highest id of the context, where it was asked for.
  func json(_ form: [Member], text: String? = nil, maxID: Int? = nil) -> JSONValue {
    var members = JSONObject()
    for member in form {
      switch member {
      case .subject: members["subject"] = .string(subject.qualified)
      case .version: members["version"] = JSONValue(number)
      case .id: members["id"] = JSONValue(id)
      case .guid: members["guid"] = .string(guid)
      case .schemaType: members["schemaType"] = .string(content.type.rawValue)
      case .references:
        if !content.references.isEmpty { members["references"] = .array(content.references.map(\.json)) }
      case .metadata: members["metadata"] = content.metadata?.json
      case .ruleSet: members["ruleSet"] = content.ruleSet?.json
      case .schema: members["schema"] = .string(text ?? content.text)
      case .maxID: members["maxId"] = maxID.map { JSONValue($0) }
      case .time: members["ts"] = JSONValue(time)
      case .deleted: members["deleted"] = .bool(isDeleted)
      }
    }
    return .object(members)
  }
}
