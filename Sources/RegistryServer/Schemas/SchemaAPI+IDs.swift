internal import JSON

extension SchemaAPI {
  @Sendable func getByID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let version = try version(state, call)
    let context = version.subject.context
    return .json(
      version.json(
        SchemaVersion.Form.byID, text: try state.schemas.text(of: version, format: call.text("format")),
        maxID: call.flag("fetchMaxId") ? state.schemas.lastIDs[context] : nil))
  }

  @Sendable func getTextByID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    Answer(body: try state.schemas.text(of: version(state, call), format: call.text("format")))
  }

  @Sendable func listSubjectsByID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    var subjects: [String] = []
    for use in try uses(state, call) where !subjects.contains(use.subject.qualified) {
      subjects.append(use.subject.qualified)
    }
    return try list(subjects, call)
  }

  @Sendable func listVersionsByID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let uses = try uses(state, call)
    return .json(
      .array(
        try call.page(uses).map {
          ["subject": .string($0.subject.qualified), "version": JSONValue($0.number)]
        }))
  }

  @Sendable func getByGUID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let guid = call.path("guid")
    let versions = state.schemas.versions(withGUID: guid)
    guard let version = versions.last(where: { !$0.isDeleted }) ?? versions.last else {
      throw .schemaNotFound(guid)
    }
    return .json(
      version.json(
        SchemaVersion.Form.byGUID, text: try state.schemas.text(of: version, format: call.text("format"))))
  }

  /// One id per context; none for an unknown GUID.
  @Sendable func listIDsByGUID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    var ids = JSONObject()
    for version in state.schemas.versions(withGUID: call.path("guid")) {
      ids[version.subject.context] = JSONValue(version.id)
    }
    return .json(.array(ids.sortedByName().map { ["context": .string($0.name), "id": $0.value] }))
  }

  private func version(_ state: RegistryState, _ call: Call) throws(APIError) -> SchemaVersion {
    try state.schemas.version(
      withID: call.pathInteger("id"), preferring: Self.querySubject(state, call))
  }

  /// Those in subjects that the caller may read.
  private func uses(_ state: RegistryState, _ call: Call) throws(APIError) -> [SchemaVersion] {
    try state.schemas.uses(
      ofID: call.pathInteger("id"), in: Self.querySubject(state, call).context, deleted: call.flag("deleted")
    ).filter { call.permissions.allow(.read, on: .subject($0.subject.qualified)) }
  }
}
