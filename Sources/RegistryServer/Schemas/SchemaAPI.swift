internal import JSON

/// The Schema Registry's part of the API: reads arguments, lets ``SchemaState`` decide, prints the outcome
/// (specification section B.2).
struct SchemaAPI: Sendable {
  /// Whether rule sets are dropped without a word, as the community server does.
  let dropsRules: Bool

  var endpoints: [Endpoint] {
    let versions = "/subjects/{subject}/versions"
    let compatibility = "/compatibility\(versions)"
    return [
      Endpoint("/", [.get: .state { (_, _) throws(APIError) in .json([:]) }]),
      Endpoint("/subjects", [.get: .state(listSubjects)]),
      Endpoint("/subjects/{subject}", [.post: .state(lookUp), .delete: .state(deleteSubject)]),
      Endpoint("/subjects/{subject}/metadata", [.get: .state(getVersionByMetadata)]),
      Endpoint(versions, [.get: .state(listVersions), .post: .state(register)]),
      Endpoint("\(versions)/{version}", [.get: .state(getVersion), .delete: .state(deleteVersion)]),
      Endpoint("\(versions)/{version}/schema", [.get: .state(getVersionText)]),
      Endpoint("\(versions)/{version}/referencedby", [.get: .state(listReferences)]),
      Endpoint("\(versions)/{version}/tags", [.post: .state(changeTags)]),
      Endpoint("/schemas", [.get: .state(listSchemas)]),
      Endpoint("/schemas/types", [.get: .state(listTypes)]),
      Endpoint("/schemas/ids/{id}", [.get: .state(getByID)]),
      Endpoint("/schemas/ids/{id}/schema", [.get: .state(getTextByID)]),
      Endpoint("/schemas/ids/{id}/subjects", [.get: .state(listSubjectsByID)]),
      Endpoint("/schemas/ids/{id}/versions", [.get: .state(listVersionsByID)]),
      Endpoint("/schemas/guids/{guid}", [.get: .state(getByGUID)]),
      Endpoint("/schemas/guids/{guid}/ids", [.get: .state(listIDsByGUID)]),
      Endpoint(compatibility, [.post: .state(checkCompatibility)]),
      Endpoint("\(compatibility)/{version}", [.post: .state(checkCompatibility)]),
      Endpoint("/contexts", [.get: .state(listContexts)]),
      Endpoint("/contexts/{context}", [.delete: .state(deleteContext)]),
      Endpoint("/config", [.get: .state(getConfig), .put: .state(putConfig), .delete: .state(deleteConfig)]),
      Endpoint(
        "/config/{subject}",
        [.get: .state(getConfig), .put: .state(putConfig), .delete: .state(deleteConfig)]),
      Endpoint("/mode", [.get: .state(getMode), .put: .state(putMode), .delete: .state(deleteMode)]),
      Endpoint(
        "/mode/{subject}", [.get: .state(getMode), .put: .state(putMode), .delete: .state(deleteMode)]),
      Endpoint("/associations", [.post: .state(associate)]),
      Endpoint(
        "/associations/resources/{id}", [.get: .state(listAssociations), .delete: .state(deleteAssociations)]),
      Endpoint("/associations/resources/{namespace}/{name}", [.get: .state(listAssociations)]),
      Endpoint("/associations/subjects/{subject}", [.get: .state(listAssociations)]),
      Endpoint("/v1/metadata/id", [.get: .state(getClusterID)]),
      Endpoint("/v1/metadata/version", [.get: .state(getServerVersion)]),
    ]
  }

  /// The subject in the path, or the one behind it when that is an alias.
  static func subject(_ state: RegistryState, _ call: Call) -> Subject { state.schemas.aliased(call.subject) }

  func subject(_ state: RegistryState, _ call: Call) -> Subject { Self.subject(state, call) }

  /// As ``subject(_:_:)``, of the subject in the query.
  static func querySubject(_ state: RegistryState, _ call: Call) -> Subject {
    state.schemas.aliased(call.querySubject)
  }

  func list(_ numbers: [Int], _ call: Call) throws(APIError) -> Answer {
    .json(.array(try call.page(numbers).map { JSONValue($0) }))
  }

  func list(_ texts: [String], _ call: Call) throws(APIError) -> Answer {
    .json(JSONValue(texts: Array(try call.page(texts))))
  }

  /// Without a `subjectPrefix`, the context named in front of the path is covered, or everything.
  func prefix(_ call: Call) -> SubjectPrefix {
    let all = ":*:"
    switch call.text("subjectPrefix") {
    case let text? where text.hasPrefix(all): return SubjectPrefix(inAllContexts: text.dropFirst(all.count))
    case let text?: return SubjectPrefix(call.subject(text))
    case nil: return call.context == nil ? .everything : SubjectPrefix(call.subject(""))
    }
  }
}

// MARK: - Subjects and schemas

extension SchemaAPI {
  @Sendable private func listSubjects(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    try list(
      state.schemas.subjects(
        prefix(call), deleted: call.flag("deleted"), deletedOnly: call.flag("deletedOnly")
      ).filter { call.permissions.allow(.read, on: .subject($0)) }, call)
  }

  @Sendable private func deleteSubject(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer
  {
    let numbers = try state.schemas.deleteSubject(subject(state, call), permanently: call.flag("permanent"))
    return .json(.array(numbers.map { JSONValue($0) }))
  }

  @Sendable private func listSchemas(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let ruleTypes = call.texts("ruleType")
    let versions = state.schemas.versions(
      prefix(call), deleted: call.flag("deleted"), latestOnly: call.flag("latestOnly")
    ).filter { version in
      call.permissions.allow(.read, on: .subject(version.subject.qualified))
        && (ruleTypes.isEmpty || version.content.ruleSet?.types.isDisjoint(with: ruleTypes) == false)
    }
    return .json(.array(try call.page(versions).map { $0.json(SchemaVersion.Form.version) }))
  }

  @Sendable private func listTypes(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    .json(["JSON", "PROTOBUF", "AVRO"])
  }

  @Sendable private func listContexts(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let prefix = call.text("contextPrefix") ?? ""
    return try list(state.schemas.contexts.filter { $0.hasPrefix(prefix) }, call)
  }

  @Sendable private func deleteContext(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer
  {
    try state.schemas.deleteContext(Subject.context(named: call.path("context")))
    return .noContent
  }

  /// Names for what a genuine cluster would have; clients only show them.
  @Sendable private func getClusterID(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let clusters: JSONValue = ["kafka-cluster": "embedded", "schema-registry-cluster": "embedded"]
    return .json(["scope": ["path": [], "clusters": clusters]])
  }

  /// The release whose answers these are.
  @Sendable private func getServerVersion(_ state: inout RegistryState, _ call: Call) throws(APIError)
    -> Answer
  { .json(["version": "8.3.1", "commitId": "embedded"]) }
}
