internal import Codecs

extension SchemaState {
  /// Registers a schema, or finds the live version of the subject that equals it.
  mutating func register(_ request: Registration, time: Int) throws(APIError) -> SchemaVersion {
    try checkMode(for: request)
    let live = versions(of: request.subject)
    let all = versions(of: request.subject, deleted: true)
    let next = (all.last?.number ?? 0) + 1
    var content = try content(of: request, after: live.last)
    if let known = live.last(where: { $0.content == content && (request.id ?? $0.id) == $0.id }) {
      return known
    }

    let isImporting = mode(of: request.subject) == .importing
    let number = isImporting ? request.version ?? next : next
    if !isImporting {
      guard request.version == nil || request.version == next else { throw .notNextVersion }
      // Inherited from a version that was asked for by number; this one has a number of its own.
      if content.metadata?.properties[Metadata.versionProperty] != nil {
        content.metadata?.properties[Metadata.versionProperty] = String(next)
      }
    } else if all.contains(where: { $0.number == number }) {
      throw .notPermitted(
        "Overwrite schema version \(number) in subject \(request.subject.qualified) is not permitted.")
    }
    try checkCompatibility(of: content, with: live, in: request.subject)

    let version = SchemaVersion(
      subject: request.subject, number: number, id: try id(for: content, request), guid: try content.guid(),
      content: content, time: time)
    lastIDs[request.subject.context] = max(lastIDs[request.subject.context] ?? 0, version.id)
    versions.removeAll { $0.subject == request.subject && $0.isDeleted && $0.content == content }
    versions.append(version)
    return version
  }

  private func checkMode(for request: Registration) throws(APIError) {
    try checkWritable(request.subject)
    let isImporting = mode(of: request.subject) == .importing
    guard isImporting == (request.id != nil) else {
      throw .notPermitted(
        "Subject \(request.subject.qualified) in context \(request.subject.contextInMessages) is not in "
          + (isImporting ? "read-write mode" : "import mode"))
    }
  }

  /// What the request asks for, completed from the latest version and the settings of the subject.
  private func content(
    of request: Registration, after previous: SchemaVersion?
  ) throws(APIError) -> SchemaContent {
    var content: SchemaContent
    if let text = request.text {
      content = try canonical(request, text)
    } else {
      guard let previous else { throw .emptySchema }
      content = previous.content
    }
    content.metadata = request.metadata
    content.ruleSet = request.ruleSet
    guard mode(of: request.subject) != .importing else { return content }

    content.metadata = Metadata.merged(
      Metadata.merged(
        config(\.defaultMetadata, for: request.subject), request.metadata ?? previous?.content.metadata),
      config(\.overrideMetadata, for: request.subject))
    content.ruleSet = RuleSet.merged(
      RuleSet.merged(
        config(\.defaultRuleSet, for: request.subject), request.ruleSet ?? previous?.content.ruleSet),
      config(\.overrideRuleSet, for: request.subject))
    if let version = request.version {
      var metadata = content.metadata ?? Metadata()
      metadata.properties[Metadata.versionProperty] = String(version)
      content.metadata = metadata
    }
    return content
  }

  /// Equal content has one id in a context.
  private func id(for content: SchemaContent, _ request: Registration) throws(APIError) -> Int {
    let context = request.subject.context
    if let id = request.id {
      guard versions(withID: id, in: context).allSatisfy({ $0.content == content }) else {
        throw .notPermitted(
          "Overwrite new schema with id \(id) in context \(request.subject.contextInMessages) "
            + "is not permitted.")
      }
      return id
    }
    let known = versions.last { $0.subject.context == context && $0.content == content }
    return known?.id ?? (lastIDs[context] ?? 0) + 1
  }
}

// MARK: - Looking up

extension SchemaState {
  /// The schema of a request as the registry would store it, with the numbers of its references.
  func canonical(_ request: Registration, _ text: String) throws(APIError) -> SchemaContent {
    let context = request.subject.context
    let references = request.references.map { reference in
      var reference = reference
      if reference.version == -1 {
        let latest = versions(of: Self.target(of: reference, in: context)).last
        reference.version = latest?.number ?? reference.version
      }
      return reference
    }
    let schemas = try resolved(references, of: request.type, in: context)
    return SchemaContent(
      type: request.type, text: try SchemaText.canonical(text, request.type, references: schemas),
      references: references)
  }

  /// The newest version with the schema of the request, and with its metadata and rule set if it has them.
  func lookUp(_ request: Registration, deleted: Bool) throws(APIError) -> SchemaVersion {
    let versions = try knownVersions(of: request.subject, deleted: deleted)
    guard let text = request.text else { throw .schemaNotFound }
    let wanted = try canonical(request, text)
    let found = versions.last { version in
      let content = version.content
      return (content.type, content.text, content.references) == (wanted.type, wanted.text, wanted.references)
        && (request.metadata == nil || request.metadata == content.metadata)
        && (request.ruleSet == nil || request.ruleSet == content.ruleSet)
    }
    guard let found else { throw .schemaNotFound }
    return found
  }

  /// The text of a version in the format that a call asks for. Unknown formats are the stored one.
  func text(of version: SchemaVersion, format: String?) throws(APIError) -> String {
    let content = version.content
    switch format {
    case "resolved"?:
      return SchemaText.resolved(content.text, content.type, references: try references(of: version))
    case "serialized"?:
      return try SchemaText.serialized(content.text, content.type, references: try references(of: version))
    default: return content.text
    }
  }

  private func references(of version: SchemaVersion) throws(APIError) -> [ReferencedSchema] {
    try resolved(version.content.references, of: version.content.type, in: version.subject.context)
  }
}
