internal import FieldCrypto

/// The KEKs and DEKs of the registry and the rules for their lives (specification section F.3).
struct KeyState: Hashable, Sendable {
  private(set) var keks: [String: KEK] = [:]
  private(set) var deks: [DEK.ID: DEK] = [:]
}

// MARK: - KEKs

extension KeyState {
  /// Names in code point order. With `prefixes`, those of KEKs with a DEK whose subject starts with one.
  func kekNames(withSubjectPrefix prefixes: [String], deleted: Bool) -> [String] {
    let names = keks.values.filter { kek in
      guard deleted || !kek.isDeleted else { return false }
      return prefixes.isEmpty
        || deks.values.contains { dek in
          dek.kek == kek.name && (deleted || !dek.isDeleted)
            && prefixes.contains(where: dek.subject.hasPrefix)
        }
    }.map(\.name)
    return names.sortedByCodePoint()
  }

  func kek(_ name: String, deleted: Bool = false) throws(APIError) -> KEK {
    guard let kek = keks[name], deleted || !kek.isDeleted else { throw .keyNotFound(name) }
    return kek
  }

  /// Adds a KEK. One that equals a soft-deleted one brings that back.
  mutating func insert(_ kek: KEK, maximum: Int) throws(APIError) {
    if let known = keks[kek.name] {
      guard known.isDeleted, known.isEqual(to: kek) else { throw .keyExists(kek.name) }
    } else if keks.count > maximum {
      // "More than", as the genuine server tests: one above the limit fits.
      throw .tooManyKeys(maximum)
    }
    keks[kek.name] = kek
  }

  mutating func updateKEK(_ name: String, with fields: Fields, time: Int) throws(APIError) -> KEK {
    var kek = try kek(name)
    try kek.update(with: fields, time: time)
    keks[name] = kek
    return kek
  }

  mutating func deleteKEK(_ name: String, permanently: Bool, time: Int) throws(APIError) {
    let kek = try kek(name, deleted: true)
    guard !deks.values.contains(where: { $0.kek == name && (permanently || !$0.isDeleted) }) else {
      throw .keyReferenced(name)
    }
    if permanently {
      guard kek.isDeleted else { throw .keyNotSoftDeleted(name) }
      keks[name] = nil
    } else {
      setDeleted(true, of: kek, time: time)
    }
  }

  mutating func undeleteKEK(_ name: String, time: Int) throws(APIError) {
    setDeleted(false, of: try kek(name, deleted: true), time: time)
  }

  private mutating func setDeleted(_ isDeleted: Bool, of kek: KEK, time: Int) {
    guard kek.isDeleted != isDeleted else { return }
    var kek = kek
    kek.isDeleted = isDeleted
    kek.time = time
    keks[kek.name] = kek
  }
}

// MARK: - DEKs

extension KeyState {
  /// Replaces a DEK or adds one; who calls has checked that it may.
  mutating func put(_ dek: DEK) { deks[dek.id] = dek }

  mutating func remove(_ dek: DEK) { deks[dek.id] = nil }
}

// MARK: - Storage

extension KeyState: Codable {
  private enum CodingKeys: CodingKey { case keks, deks }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let keks = try container.decode([KEK].self, forKey: .keks)
    let deks = try container.decode([DEK].self, forKey: .deks)
    self.keks = Dictionary(keks.map { ($0.name, $0) }) { _, last in last }
    self.deks = Dictionary(deks.map { ($0.id, $0) }) { _, last in last }
  }

  /// In a fixed order, so that equal states give equal files.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(keks.values.sorted { $0.name < $1.name }, forKey: .keks)
    let deks = deks.values.sorted {
      ($0.kek, $0.subject, $0.algorithm.rawValue, $0.version)
        < ($1.kek, $1.subject, $1.algorithm.rawValue, $1.version)
    }
    try container.encode(deks, forKey: .deks)
  }
}
