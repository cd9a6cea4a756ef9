/// Which operation on which resources a call is.
///
/// Calls about a DEK need the same operation on its KEK and on its subject (specification section F.3). Where a
/// subject is an alias, the one behind it counts as well: who may use one name must not get at what has another.
struct AccessRules {
  let method: Request.Method
  /// The endpoint's, with its parameters as `{name}`.
  let path: String
  let call: Call

  /// Throws 40301 unless the caller may do what the call asks for. `state` tells which subjects have a schema.
  func check(_ state: RegistryState) throws(APIError) {
    for resource in resources(state) { try call.permissions.check(operation, on: resource) }
    guard let subjects = subjectsOfSchema(state), let first = subjects.first else { return }
    // A schema is known by who may read any of the subjects that have it.
    guard !subjects.contains(where: { call.permissions.allow(.read, on: $0) }) else { return }
    try call.permissions.check(.read, on: first)
  }

  private var operation: Role.Operation {
    switch method {
    case .get, .head, .options: return .read
    case .put: return .update
    case .delete: return .delete
    case .post:
      // Looking a schema up is reading, whatever the method.
      if path == "/subjects/{subject}" { return .read }
      if path.hasPrefix("/compatibility") || path.hasSuffix("/test") || call.flag("rewrap") { return .update }
      return .create
    }
  }

  private func resources(_ state: RegistryState) -> [Resource] {
    if path.hasPrefix("/dek-registry") { return keys(state) }
    if path.hasPrefix("/config") {
      // Who makes an alias does to its target what calls by the alias will.
      let targets = method == .put ? [inBody("alias"), inBody("aliasForDeks")].filter { !$0.isEmpty } : []
      return [.subject(call.scope.qualified)] + targets.map { .subject(Subject($0).qualified) }
    }
    if path.hasPrefix("/mode") { return [.subject(call.scope.qualified)] }
    if path == "/contexts/{context}" {
      return [.subject(Subject(context: Subject.context(named: call.path("context")), name: "").qualified)]
    }
    // Serializers ask for associations before they know any subject.
    if path.hasPrefix("/associations") { return method == .get ? [] : [.subject("")] }
    guard call.parameters["subject"] != nil else { return [] }
    return [.subject(call.subject.qualified), .subject(SchemaAPI.subject(state, call).qualified)]
  }

  private func keys(_ state: RegistryState) -> [Resource] {
    let isCreation = method == .post
    guard let kek = call.parameters["name"] else { return isCreation ? [.kek(inBody("name"))] : [] }
    let isSubjectInBody = isCreation && path.hasSuffix("/deks")
    guard let sent = call.parameters["subject"] ?? (isSubjectInBody ? inBody("subject") : nil) else {
      return [.kek(kek)]
    }
    let subject = Subject(KeyAPI.subject(sent, state, call))
    return [.kek(kek), .subject(call.subject(sent).qualified), .subject(subject.qualified)]
  }

  /// A body that cannot be read names nothing; its own complaint comes after this one.
  private func inBody(_ name: String) -> String {
    do throws(APIError) {
      return try call.fields("").text(name) ?? ""
    } catch {
      return ""
    }
  }

  private func subjectsOfSchema(_ state: RegistryState) -> [Resource]? {
    guard path.hasPrefix("/schemas/") else { return nil }
    let versions: [SchemaVersion]
    if let guid = call.parameters["guid"] {
      versions = state.schemas.versions(withGUID: guid)
    } else if let id = call.parameters["id"].flatMap({ Int($0) }) {
      versions = state.schemas.versions(withID: id, in: SchemaAPI.querySubject(state, call).context)
    } else {
      return nil
    }
    return versions.map { .subject($0.subject.qualified) }
  }
}
