/// Which operation on which resources a call is.
///
/// Calls about a DEK need the same operation on its KEK and on its subject (specification section F.3).
struct AccessRules {
  let method: Request.Method
  /// The endpoint's, with its parameters as `{name}`.
  let path: String
  let call: Call

  /// Throws 40301 unless the caller may do what the call asks for. `state` tells which subjects have a schema.
  func check(_ state: RegistryState) throws(APIError) {
    for resource in resources { try call.permissions.check(operation, on: resource) }
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

  private var resources: [Resource] {
    if path.hasPrefix("/dek-registry") { return keys }
    if path.hasPrefix("/config") || path.hasPrefix("/mode") { return [.subject(call.scope.qualified)] }
    if path == "/contexts/{context}" {
      return [.subject(Subject(context: Subject.context(named: call.path("context")), name: "").qualified)]
    }
    // Serializers ask for associations before they know any subject.
    if path.hasPrefix("/associations") { return method == .get ? [] : [.subject("")] }
    return call.parameters["subject"] == nil ? [] : [.subject(call.subject.qualified)]
  }

  private var keys: [Resource] {
    let isCreation = method == .post
    guard let kek = call.parameters["name"] else { return isCreation ? [.kek(inBody("name"))] : [] }
    if let subject = call.parameters["subject"] {
      return [.kek(kek), .subject(call.subject(subject).qualified)]
    }
    let isSubjectInBody = isCreation && path.hasSuffix("/deks")
    return isSubjectInBody ? [.kek(kek), .subject(call.subject(inBody("subject")).qualified)] : [.kek(kek)]
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
      versions = state.schemas.versions(withID: id, in: call.querySubject.context)
    } else {
      return nil
    }
    return versions.map { .subject($0.subject.qualified) }
  }
}
