internal import JSON

extension SchemaAPI {
  /// The answer names what is new; nothing when all of it was known.
  @Sendable func associate(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let fields = try call.fields("createAssociation.arg3")
    let resource = try Association.Resource(fields)
    let requested = try fields.list("associations")?.compactMap(\.self).map { (fields) throws(APIError) in
      try Association(fields, of: resource, time: call.time)
    }
    let added = try state.schemas.associate(requested ?? [])
    var members = resource.members
    if !added.isEmpty { members["associations"] = .array(added.map(\.createdJSON)) }
    return .json(.object(members))
  }

  /// By resource id, by namespace and name (`-` is any namespace), or by subject.
  @Sendable func listAssociations(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let found = state.schemas.associations.filter { matches($0, call) }
    return .json(.array(try call.page(found).map(\.json)))
  }

  @Sendable func deleteAssociations(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    state.schemas.associations.removeAll { matches($0, call) }
    return .noContent
  }

  private func matches(_ association: Association, _ call: Call) -> Bool {
    let resource = association.resource
    let types = call.texts("associationType")
    return call.parameters.allSatisfy { name, value in
      switch name {
      case "id": resource.id == value
      case "namespace": resource.namespace == value || value == "-"
      case "name": resource.name == value
      default: association.subject == call.subject.qualified
      }
    }
      && (call.text("resourceType") ?? resource.type) == resource.type
      && (types.isEmpty || types.contains(association.associationType))
      && (call.text("lifecycle") ?? association.lifecycle) == association.lifecycle
  }
}
