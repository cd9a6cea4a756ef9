internal import Codecs

extension SchemaState {
  /// Ascending.
  func versions(of subject: Subject, deleted: Bool = false) -> [SchemaVersion] {
    versions.filter { $0.subject == subject && (deleted || !$0.isDeleted) }.sorted { $0.number < $1.number }
  }

  /// As ``versions(of:deleted:)``. Throws 40401 when there are none.
  func knownVersions(of subject: Subject, deleted: Bool = false) throws(APIError) -> [SchemaVersion] {
    let versions = versions(of: subject, deleted: deleted)
    guard !versions.isEmpty else { throw .subjectNotFound(subject) }
    return versions
  }

  /// "Latest" is never a soft-deleted version, also when those are asked for.
  func version(
    _ number: VersionNumber, of subject: Subject, deleted: Bool = false
  ) throws(APIError) -> SchemaVersion {
    let versions = try knownVersions(of: subject, deleted: deleted)
    let found =
      switch number {
      case .latest: versions.last { !$0.isDeleted }
      case .number(let number): versions.first { $0.number == number }
      }
    guard let found else { throw .versionNotFound(number) }
    return found
  }

  /// Names in code point order. With `deletedOnly`, subjects of which nothing is left alive.
  func subjects(_ prefix: SubjectPrefix, deleted: Bool, deletedOnly: Bool) -> [String] {
    let all = Set(versions.map(\.subject).filter(prefix.covers))
    let live = Set(versions.filter { !$0.isDeleted }.map(\.subject))
    let found = deletedOnly ? all.subtracting(live) : deleted ? all : all.intersection(live)
    return found.map(\.qualified).sortedByCodePoint()
  }

  /// Every version, by subject and then number.
  func versions(_ prefix: SubjectPrefix, deleted: Bool, latestOnly: Bool) -> [SchemaVersion] {
    let subjects = subjects(prefix, deleted: deleted, deletedOnly: false).map(Subject.init)
    return subjects.flatMap { subject in
      let versions = versions(of: subject, deleted: deleted)
      return latestOnly ? versions.suffix(1) : versions[...]
    }
  }

  /// The latest live version whose properties contain all of `properties`.
  func version(
    of subject: Subject, having properties: [(name: String, value: String)], deleted: Bool
  ) throws(APIError) -> SchemaVersion {
    let versions = try knownVersions(of: subject, deleted: deleted)
    let found = versions.last { version in
      properties.allSatisfy { version.content.metadata?.properties[$0.name] == $0.value }
    }
    guard let found else { throw .schemaNotFound }
    return found
  }
}

// MARK: - By id and GUID

extension SchemaState {
  /// The versions with an id in a context, the last registered first.
  func versions(withID id: Int, in context: String) -> [SchemaVersion] {
    versions.reversed().filter { $0.id == id && $0.subject.context == context }
  }

  /// As ``versions(withID:in:)``, the live ones unless told otherwise. Throws 40403 for an unknown id.
  func uses(ofID id: Int, in context: String, deleted: Bool) throws(APIError) -> [SchemaVersion] {
    let versions = versions(withID: id, in: context)
    guard !versions.isEmpty else { throw .schemaNotFound }
    return versions.filter { deleted || !$0.isDeleted }
  }

  /// The subject's context counts; the subject itself is only a preference.
  func version(withID id: Int, preferring subject: Subject) throws(APIError) -> SchemaVersion {
    let versions = versions(withID: id, in: subject.context)
    let preferred = versions.first { $0.subject == subject } ?? versions.first { !$0.isDeleted }
    guard let found = preferred ?? versions.first else { throw .schemaNotFound(String(id)) }
    return found
  }

  /// In every context.
  func versions(withGUID guid: String) -> [SchemaVersion] { versions.filter { $0.guid == guid.lowercased() } }
}

// MARK: - References

extension SchemaState {
  /// Where a reference in a schema of `context` leads; an unqualified one stays in the context.
  static func target(of reference: SchemaReference, in context: String) -> Subject {
    let subject = Subject(reference.subject)
    return reference.subject.hasPrefix(":.") ? subject : Subject(context: context, name: subject.name)
  }

  /// The versions that refer to one.
  func versions(referringTo target: SchemaVersion, deleted: Bool) -> [SchemaVersion] {
    versions.filter { version in
      (deleted || !version.isDeleted)
        && version.content.references.contains {
          $0.version == target.number
            && Self.target(of: $0, in: version.subject.context) == target.subject
        }
    }
  }

  /// What `references` lead to, each after those it refers to itself, none twice.
  ///
  /// Throws 42201 for a reference to nothing.
  func resolved(
    _ references: [SchemaReference], of type: SchemaType, in context: String
  ) throws(APIError) -> [ReferencedSchema] {
    var resolved: [ReferencedSchema] = []
    var seen: Set<SchemaReference> = []
    /// References still to be looked at, and versions to add once everything above them is done.
    var pending: [(reference: SchemaReference, found: SchemaVersion?)] = references.reversed().map {
      ($0, nil)
    }
    while let (reference, found) = pending.popLast() {
      if let found {
        resolved.append(ReferencedSchema(name: reference.name, text: found.content.text))
        continue
      }
      let subject = Self.target(of: reference, in: context)
      let place = SchemaReference(name: "", subject: subject.qualified, version: reference.version)
      guard seen.insert(place).inserted else { continue }
      guard let version = versions(of: subject, deleted: true).last(where: { $0.number == reference.version })
      else {
        throw .invalidSchema(
          type,
          "No schema reference found for subject \"\(subject.qualified)\" and version \(reference.version)")
      }
      pending.append((reference, version))
      pending += version.content.references.reversed().map { ($0, nil) }
    }
    return resolved
  }
}
