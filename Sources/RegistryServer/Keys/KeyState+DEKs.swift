internal import FieldCrypto

/// The versions of a subject's key under one KEK and algorithm; what most DEK calls are about.
struct DEKFamily: Sendable {
  let kek: String
  /// As the caller wrote it, for messages.
  let subject: String
  let algorithm: DEKAlgorithm

  func id(_ version: Int) -> DEK.ID {
    DEK.ID(kek: kek, subject: Subject(subject), algorithm: algorithm, version: version)
  }
}

extension KeyState {
  /// Subjects with a DEK of any algorithm, as they were sent, in code point order.
  func subjects(under kekName: String, deleted: Bool) throws(APIError) -> [String] {
    let kek = try kek(kekName, deleted: deleted)
    let subjects = deks.values.filter { $0.kek == kek.name && (deleted || !$0.isDeleted) }.map(\.subject)
    return Array(Set(subjects)).sortedByCodePoint()
  }

  /// Ascending; none for an unknown subject.
  func versions(of family: DEKFamily, deleted: Bool) throws(APIError) -> [DEK] {
    _ = try kek(family.kek, deleted: deleted)
    return allVersions(of: family).filter { deleted || !$0.isDeleted }
  }

  /// "Latest" is the highest version; soft-deleted ones count when they are asked for.
  func dek(_ family: DEKFamily, _ version: VersionNumber, deleted: Bool) throws(APIError) -> DEK {
    let found: DEK?
    switch version {
    case .latest: found = try versions(of: family, deleted: deleted).last
    case .number(let number):
      _ = try kek(family.kek, deleted: deleted)
      found = deks[family.id(number)]
    }
    guard let found, deleted || !found.isDeleted else { throw .keyNotFound(family.subject) }
    return found
  }

  /// Marks versions as deleted, or takes marked ones away. `latest` names no version here: nothing happens.
  mutating func delete(
    _ family: DEKFamily, _ version: VersionNumber?, permanently: Bool, time: Int
  ) throws(APIError) {
    _ = try kek(family.kek)
    let versions = try matching(family, version)
    if permanently {
      guard versions.allSatisfy(\.isDeleted) else { throw .keyNotSoftDeleted(family.subject) }
      versions.forEach { remove($0) }
    } else {
      setDeleted(true, of: versions, time: time)
    }
  }

  mutating func undelete(_ family: DEKFamily, _ version: VersionNumber?, time: Int) throws(APIError) {
    let kek = try kek(family.kek, deleted: true)
    let versions = try matching(family, version)
    guard !kek.isDeleted else { throw .keyMustBeUndeleted(kek.name) }
    setDeleted(false, of: versions, time: time)
  }

  private func matching(_ family: DEKFamily, _ version: VersionNumber?) throws(APIError) -> [DEK] {
    let versions =
      switch version {
      case nil: allVersions(of: family)
      case .number(let number): [deks[family.id(number)]].compactMap(\.self)
      case .latest: [DEK]()
      }
    guard !versions.isEmpty || version == .latest else { throw .keyNotFound(family.subject) }
    return versions
  }

  private func allVersions(of family: DEKFamily) -> [DEK] {
    let subject = Subject(family.subject)
    return deks.filter { id, _ in
      id.subject == subject && id.kek == family.kek && id.algorithm == family.algorithm
    }.values.sorted { $0.version < $1.version }
  }

  private mutating func setDeleted(_ isDeleted: Bool, of versions: [DEK], time: Int) {
    for var dek in versions where dek.isDeleted != isDeleted {
      dek.isDeleted = isDeleted
      dek.time = time
      put(dek)
    }
  }
}
