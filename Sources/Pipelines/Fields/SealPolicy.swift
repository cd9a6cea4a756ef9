internal import FieldCrypto
internal import SchemaRegistry

/// Which values a sealing step replaces, by what they are.
package struct SealPolicy: Sendable, Hashable {
  /// Whether a value in the clear is sealed; otherwise it is a failure.
  package var sealsPlaintext: Bool
  /// Whether a value under another key is opened and sealed under the target; otherwise it is a failure.
  package var rekeysForeign: Bool
  /// Whether a value that is current is sealed anew, with a new IV.
  package var renewsCurrent = false
  /// Replaces only values under these keys; the others stay as they are.
  package var onlyKeys: KeySet?

  /// The encrypt step: seal what is in the clear, keep what is current, refuse the rest.
  package static let encrypt = SealPolicy(sealsPlaintext: true, rekeysForeign: false)
  /// The rekey step: bring what is sealed to the target, refuse what is in the clear.
  package static let rekey = SealPolicy(sealsPlaintext: false, rekeysForeign: true)

  package init(sealsPlaintext: Bool, rekeysForeign: Bool) {
    self.sealsPlaintext = sealsPlaintext
    self.rekeysForeign = rekeysForeign
  }

  /// Whether a value in this state is replaced; throws when it must not be there at all.
  func replaces(_ state: SealState) throws(FieldFailure) -> Bool {
    switch state {
    case .current: return renewsCurrent
    case .plaintext:
      guard sealsPlaintext else { throw .notSealed }
      return true
    case .foreign(let layer):
      if let onlyKeys, !onlyKeys.contains(layer.keyName) { return false }
      guard rekeysForeign else { throw .foreign(layer.keyName) }
      return true
    }
  }
}

/// A set of DEK versions, such as those that leaked. What is not named means any.
package struct KeySet: Sendable, Hashable, CustomStringConvertible {
  package struct Entry: Sendable, Hashable {
    package var kek: String
    package var subject: String?
    package var algorithm: String?
    package var versions: [Int32]?

    package init(kek: String, subject: String? = nil, algorithm: String? = nil, versions: [Int32]? = nil) {
      self.kek = kek
      self.subject = subject
      self.algorithm = algorithm
      self.versions = versions
    }
  }

  package let entries: [Entry]

  package init(_ entries: [Entry]) { self.entries = entries }

  package var description: String {
    entries.map { entry in
      let versions = entry.versions.map { $0.map(String.init).joined(separator: ",") }
      return [entry.kek, entry.subject ?? "*", entry.algorithm ?? "*", versions ?? "*"].joined(separator: "/")
    }.joined(separator: ", ")
  }

  package func contains(_ key: KeyName) -> Bool {
    entries.contains { $0.concerns(key.family) && $0.versions?.contains(key.version) ?? true }
  }

  /// Whether a version of this DEK could be among them.
  package func concerns(_ family: KeyFamilyIdentity) -> Bool { entries.contains { $0.concerns(family) } }
}

extension KeySet.Entry {
  fileprivate func concerns(_ family: KeyFamilyIdentity) -> Bool {
    kek == family.kek && subject ?? family.subject.name == family.subject.name
      && algorithm ?? family.algorithm.rawValue == family.algorithm.rawValue
  }
}
