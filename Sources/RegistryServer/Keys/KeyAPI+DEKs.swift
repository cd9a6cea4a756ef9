internal import FieldCrypto
internal import JSON

extension KeyAPI {
  @Sendable func listSubjects(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let subjects = try state.keys.subjects(under: call.path("name"), deleted: call.flag("deleted"))
      .filter { call.permissions.allow(.read, on: .subject(Subject($0).qualified)) }
    return .json(JSONValue(texts: Array(try call.page(subjects))))
  }

  @Sendable func listVersions(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let versions = try state.keys.versions(of: family(state, call), deleted: call.flag("deleted"))
    return .json(.array(try call.page(versions).map { JSONValue($0.version) }))
  }

  /// Without a version in the path: version 1, never the latest.
  @Sendable func getDEK(_ registry: Registry, _ call: Call) async throws(APIError) -> Answer {
    let version = try VersionNumber(inPathOf: call) ?? .number(1)
    let (kek, dek) = try await registry.read { (state) throws(APIError) in
      let family = try family(state, call)
      let dek = try state.keys.dek(family, version, deleted: call.flag("deleted"))
      return (try state.keys.kek(family.kek, deleted: true), dek)
    }
    guard kek.isShared else { return .json(dek.json()) }
    let key = try await SharedKey(kek: kek, drivers: drivers)
      .unwrap(dek.encryptedKeyMaterial, subject: dek.subject)
    return .json(dek.json(keyMaterial: key.raw))
  }

  @Sendable func deleteDEK(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    try state.keys.delete(
      family(state, call), VersionNumber(inPathOf: call), permanently: call.flag("permanent"), time: call.time
    )
    return .noContent
  }

  @Sendable func undeleteDEK(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    try state.keys.undelete(family(state, call), VersionNumber(inPathOf: call), time: call.time)
    return .noContent
  }

  private func family(_ state: RegistryState, _ call: Call) throws(APIError) -> DEKFamily {
    let algorithm = call.text("algorithm") ?? ""
    guard let algorithm = algorithm.isEmpty ? .aes256GCM : DEKAlgorithm(rawValue: algorithm) else {
      throw .notFound
    }
    let subject = Self.subject(call.path("subject"), state, call)
    return DEKFamily(kek: call.path("name"), subject: subject, algorithm: algorithm)
  }

  /// A subject as it was sent, unless a context in front of the path or an alias says which one is meant.
  static func subject(_ sent: String, _ state: RegistryState, _ call: Call) -> String {
    let subject = call.subject(sent)
    if let alias = state.schemas.alias(ofDEKSubject: subject) { return alias.qualified }
    return call.context == nil ? sent : subject.qualified
  }
}

// MARK: - Creation

extension KeyAPI {
  @Sendable func createDEK(_ registry: Registry, _ call: Call) async throws(APIError) -> Answer {
    let request = try DEKRequest(call.fields("createDekWithSubject.arg5"), subject: call.path("subject"))
    return try await create(request, rewrap: call.flag("rewrap"), registry, call)
  }

  /// The deprecated path knows no `rewrap`.
  @Sendable func createDEKBySubjectInBody(
    _ registry: Registry, _ call: Call
  ) async throws(APIError) -> Answer {
    let request = try DEKRequest(call.fields("createDek.arg4"), subject: nil)
    return try await create(request, rewrap: false, registry, call)
  }

  private func create(
    _ sent: DEKRequest, rewrap: Bool, _ registry: Registry, _ call: Call
  ) async throws(APIError) -> Answer {
    let kekName = call.path("name")
    let (request, preparation) = try await registry.read { (state) throws(APIError) in
      var request = sent
      request.subject = Self.subject(sent.subject, state, call)
      let preparation = try state.keys.prepare(
        request, under: kekName, rewrap: rewrap,
        isTrusted: state.schemas.mode(of: Subject(request.subject)) == .importing, maximum: maximumKeys)
      return (request, preparation)
    }
    let (material, keyMaterial) = try await perform(preparation, for: request)
    let dek = request.dek(under: kekName, material: material, time: call.time)
    return try await registry.change { (state) throws(APIError) in
      try state.keys.insert(dek, after: preparation, rewrap: rewrap, maximum: maximumKeys)
      return .json(dek.json(keyMaterial: keyMaterial))
    }
  }

  private func perform(
    _ preparation: DEKPreparation, for request: DEKRequest
  ) async throws(APIError) -> (material: String, keyMaterial: String?) {
    let key: SharedKey.DataKey
    switch preparation {
    case .none(let material):
      return (material, nil)
    case .generate(let kek):
      key = try await SharedKey(kek: kek, drivers: drivers)
        .makeDataKey(request.algorithm, subject: request.subject)
    case .unwrap(let kek, let material):
      key = try await SharedKey(kek: kek, drivers: drivers).unwrap(material, subject: request.subject)
    case .rewrap(let kek, let material):
      key = try await SharedKey(kek: kek, drivers: drivers).rewrap(material, subject: request.subject)
    }
    return (key.wrapped, key.raw)
  }
}
