internal import JSON

extension SchemaAPI {
  @Sendable func listVersions(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let deletedOnly = call.flag("deletedOnly")
    let negative = call.flag("deletedAsNegative")
    let versions = try state.schemas.knownVersions(
      of: subject(state, call), deleted: call.flag("deleted") || deletedOnly)
    let numbers = versions.filter { !deletedOnly || $0.isDeleted }.map {
      $0.isDeleted && negative ? -$0.number : $0.number
    }
    return try list(numbers, call)
  }

  @Sendable func getVersion(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let version = try version(state, call)
    return try answer(version, SchemaVersion.Form.version, state, call)
  }

  /// The bare text, with the content type of JSON whatever it is.
  @Sendable func getVersionText(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    Answer(body: try state.schemas.text(of: version(state, call), format: call.text("format")))
  }

  @Sendable func getVersionByMetadata(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let properties = zip(call.texts("key"), call.texts("value")).map { (name: $0, value: $1) }
    let version = try state.schemas.version(
      of: subject(state, call), having: properties, deleted: call.flag("deleted"))
    return try answer(version, SchemaVersion.Form.version, state, call)
  }

  /// The ids of live schemas that refer to the version.
  @Sendable func listReferences(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let referring = state.schemas.versions(
      referringTo: try version(state, call), deleted: call.flag("deleted"))
    return try list(Set(referring.map(\.id)).sorted(), call)
  }

  @Sendable func deleteVersion(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let number = try state.schemas.deleteVersion(
      VersionNumber(call.path("version")), of: subject(state, call), permanently: call.flag("permanent"))
    return .json(JSONValue(number))
  }

  /// The version in the format that was asked for.
  private func answer(
    _ version: SchemaVersion, _ form: [SchemaVersion.Member], _ state: RegistryState, _ call: Call
  ) throws(APIError) -> Answer {
    .json(version.json(form, text: try state.schemas.text(of: version, format: call.text("format"))))
  }

  private func version(_ state: RegistryState, _ call: Call) throws(APIError) -> SchemaVersion {
    try state.schemas.version(
      VersionNumber(call.path("version")), of: subject(state, call), deleted: call.flag("deleted"))
  }
}

// MARK: - Registering, looking up, checking

extension SchemaAPI {
  @Sendable func register(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let registration = try Registration(call.fields("register.arg5"), subject: subject(state, call))
    return try register(registration, &state, call)
  }

  private func register(
    _ registration: Registration, _ state: inout RegistryState, _ call: Call
  ) throws(APIError) -> Answer {
    var registration = registration
    if dropsRules {
      registration.ruleSet = nil
    } else {
      try registration.ruleSet?.validate()
    }
    let version = try state.schemas.register(registration, time: call.time)
    return try answer(version, SchemaVersion.Form.registered, state, call)
  }

  @Sendable func lookUp(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let wanted = try Registration(call.fields("lookUpSchemaUnderSubject.arg5"), subject: subject(state, call))
    let version = try state.schemas.lookUp(wanted, deleted: call.flag("deleted"))
    return try answer(version, SchemaVersion.Form.lookedUp, state, call)
  }

  @Sendable func checkCompatibility(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let number = try VersionNumber(inPathOf: call)
    let candidate = try Registration(
      call.fields("testCompatibilityBySubjectName.arg3"), subject: subject(state, call))
    guard let text = candidate.text else { throw .emptySchema }
    var content = try state.schemas.canonical(candidate, text)
    content.metadata = candidate.metadata
    let live = state.schemas.versions(of: candidate.subject)
    let versions =
      switch number {
      case nil: live
      case .latest: Array(live.suffix(1))
      case .number(let number): live.filter { $0.number == number }
      }
    if case .number? = number, let number, versions.isEmpty { throw .versionNotFound(number) }
    let problems = try state.schemas.incompatibilities(
      of: content, with: versions, in: candidate.subject)
    var members: JSONObject = ["is_compatible": .bool(problems.isEmpty)]
    if call.flag("verbose") { members["messages"] = JSONValue(texts: problems) }
    return .json(.object(members))
  }

  /// Registers a version as the next one with other inline tags.
  @Sendable func changeTags(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let fields = try call.fields("register.arg5")
    let base = try version(state, call)
    var registration = try Registration(fields, subject: base.subject)
    let tags = AvroTags(
      additions: try Self.changes(fields, "tagsToAdd"), removals: try Self.changes(fields, "tagsToRemove"))
    registration.text = try SchemaText.tagged(base.content.text, base.content.type, tags)
    registration.type = base.content.type
    registration.references = base.content.references
    registration.metadata = registration.metadata ?? base.content.metadata
    registration.ruleSet = registration.ruleSet ?? base.content.ruleSet
    let latest = state.schemas.versions(of: base.subject, deleted: true).last?.number ?? 0
    registration.version = try fields.integer("newVersion") ?? latest + 1
    return try register(registration, &state, call)
  }

  private static func changes(_ fields: Fields, _ name: String) throws(APIError) -> [TagChange] {
    try fields.list(name)?.compactMap(\.self).map { (change) throws(APIError) in try TagChange(change) } ?? []
  }
}
