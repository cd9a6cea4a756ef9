internal import FieldCrypto
package import KeyManagement

/// How many fields were sealed under the sink's DEKs where a process does not see it.
package struct PriorUse: Sendable {
  /// What the pipeline says that others have sealed: nobody but them can know.
  package struct Declaration: Sendable, Hashable {
    package let keys: KeySet
    package let fields: UInt64

    package init(_ keys: KeySet, fields: UInt64) {
      self.keys = keys
      self.fields = fields
    }
  }

  private let declared: [Declaration]
  /// What other processes have noted in the job's state, by the names of DEKs.
  private var noted: [String: UInt64]

  package init(declared: [Declaration], noted: [String: UInt64] = [:]) {
    self.declared = declared
    self.noted = noted
  }

  /// Takes in what was noted later. Counts only rise.
  mutating func note(_ counts: [String: UInt64]) { noted.merge(counts) { max($0, $1) } }

  /// Fields sealed under one of the sink's DEKs.
  package func fields(under key: DEKIdentity) -> UInt64 {
    let name = KeyName(
      KeyFamilyIdentity(side: .sink, kek: key.kek, subject: key.subject, algorithm: key.algorithm),
      version: key.version)
    return declared.filter { $0.keys.contains(name) }.map(\.fields).reduce(noted["\(key)"] ?? 0) {
      let (sum, overflows) = $0.addingReportingOverflow($1)
      return overflows ? .max : sum
    }
  }

  /// Sets what the key rings count on from.
  func apply(to clients: JobClients) {
    clients.keyRings[.sink].uses.setPriorUse { fields(under: $0) }
    guard !clients.sharesKeys else { return }
    clients.keyRings[.source].uses.setPriorUse { noted[Self.sourceMark + "\($0)"] ?? 0 }
  }

  /// What a DEK is called in the job's state. One of a source with a registry of its own may have its namesake at the
  /// sink.
  static func name(_ key: DEKIdentity, of side: KeySide, _ clients: JobClients) -> String {
    (side == .source && !clients.sharesKeys ? sourceMark : "") + "\(key)"
  }

  private static let sourceMark = "source:"

  /// Declarations that are of none of these DEKs, whatever their version.
  func declarations(beside families: [KeyFamilyIdentity]) -> [Declaration] {
    declared.filter { declaration in
      !families.contains { declaration.keys.concerns($0) }
    }
  }
}
