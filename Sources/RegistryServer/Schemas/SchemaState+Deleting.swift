extension SchemaState {
  /// Deletes a subject: softly first, then for good. Returns the numbers of the versions this call deleted.
  mutating func deleteSubject(_ subject: Subject, permanently: Bool) throws(APIError) -> [Int] {
    try checkWritable(subject)
    let all = try knownVersions(of: subject, deleted: true)
    let live = all.filter { !$0.isDeleted }
    if permanently {
      guard live.isEmpty else { throw .subjectNotSoftDeleted(subject) }
    } else {
      guard !live.isEmpty else { throw .subjectSoftDeleted(subject) }
    }
    let numbers = try delete(permanently ? all : live, permanently: permanently)
    configs[subject] = nil
    modes[subject] = nil
    return numbers
  }

  /// Deletes one version. Returns its number.
  mutating func deleteVersion(
    _ number: VersionNumber, of subject: Subject, permanently: Bool
  ) throws(APIError) -> Int {
    try checkWritable(subject)
    let version = try version(number, of: subject, deleted: true)
    if permanently {
      guard version.isDeleted else { throw .versionNotSoftDeleted(version) }
    } else {
      guard !version.isDeleted else { throw .versionSoftDeleted(version) }
    }
    _ = try delete([version], permanently: permanently)
    return version.number
  }

  /// A version stays while a schema refers to it; a soft-deleted schema holds it only against the end.
  private mutating func delete(_ doomed: [SchemaVersion], permanently: Bool) throws(APIError) -> [Int] {
    for version in doomed where !versions(referringTo: version, deleted: permanently).isEmpty {
      throw .schemaReferenced(version.subject, version.number)
    }
    let doomed = Set(doomed)
    if permanently {
      versions.removeAll(where: doomed.contains)
    } else {
      for index in versions.indices where doomed.contains(versions[index]) {
        versions[index].isDeleted = true
      }
    }
    return doomed.map(\.number).sorted()
  }
}
