internal import Foundation
internal import JSON

/// That a resource, such as a topic, uses a subject (specification section B.6).
struct Association: Hashable, Codable, Sendable {
  let resource: Resource
  let subject: String
  let guid: String
  let associationType: String
  let lifecycle: String
  let frozen: Bool
  /// Milliseconds since 1970.
  let time: Int

  struct Resource: Hashable, Codable, Sendable {
    let name: String
    let namespace: String
    let id: String
    let type: String

    init(_ fields: Fields) throws(APIError) {
      name = try Self.text(fields, "resourceName")
      namespace = try Self.text(fields, "resourceNamespace")
      id = try Self.text(fields, "resourceId")
      type = try fields.text("resourceType") ?? "topic"
    }

    private static func text(_ fields: Fields, _ name: String) throws(APIError) -> String {
      guard let text = try fields.text(name), !text.isEmpty else {
        throw .invalidAssociation(name, "must be provided")
      }
      return text
    }

    var members: JSONObject {
      [
        "resourceName": .string(name), "resourceNamespace": .string(namespace), "resourceId": .string(id),
        "resourceType": .string(type),
      ]
    }
  }

  init(_ fields: Fields, of resource: Resource, time: Int) throws(APIError) {
    self.resource = resource
    guard let subject = try fields.text("subject") else {
      throw .invalidAssociation("subject", "must be provided for WEAK associations")
    }
    self.subject = subject
    guid = UUID().uuidString.lowercased()
    associationType = try fields.text("associationType") ?? "value"
    lifecycle = try fields.text("lifecycle") ?? "WEAK"
    frozen = try fields.flag("frozen") ?? false
    self.time = time
  }

  var json: JSONValue {
    var members: JSONObject = ["subject": .string(subject), "guid": .string(guid)]
    for (name, value) in resource.members { members[name] = value }
    members["associationType"] = .string(associationType)
    members["lifecycle"] = .string(lifecycle)
    members["frozen"] = .bool(frozen)
    members["createTs"] = JSONValue(time)
    members["updateTs"] = JSONValue(time)
    return .object(members)
  }

  /// How the answer to its creation shows it.
  var createdJSON: JSONValue {
    [
      "subject": .string(subject), "associationType": .string(associationType),
      "lifecycle": .string(lifecycle), "frozen": .bool(frozen),
    ]
  }
}

extension SchemaState {
  /// Adds what is new and returns that. Throws 40902 for a resource that uses another subject already.
  mutating func associate(_ requested: [Association]) throws(APIError) -> [Association] {
    var added: [Association] = []
    for association in requested {
      let known = associations.first {
        $0.resource.id == association.resource.id && $0.associationType == association.associationType
      }
      guard let known else {
        associations.append(association)
        added.append(association)
        continue
      }
      guard known.subject == association.subject else {
        throw .associationExists(association.resource.name, association.associationType)
      }
    }
    return added
  }
}
