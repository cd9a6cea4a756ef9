internal import SchemaRegistry

/// What an earlier run of a job settled about the subjects it writes under, and a later one keeps to: so that all
/// of its records come out alike, whatever is registered or rotated meanwhile.
package struct PinnedSinks: Sendable, Hashable {
  /// Ids of schemas by subject.
  private let schemas: [String: Int32]
  /// DEKs by their names, `<KEK>/<subject>/<algorithm>/<version>`.
  private let targets: [String]

  package init(schemas: [String: Int32] = [:], targets: [String] = []) {
    self.schemas = schemas
    self.targets = targets
  }

  func schema(of subject: Subject) -> Int32? { schemas[subject.name] }

  /// The version of a DEK that was the target.
  func version(of family: KeyFamilyIdentity) -> Int32? {
    let prefix = "\(family)/"
    return targets.lazy.filter { $0.hasPrefix(prefix) }.compactMap { Int32($0.dropFirst(prefix.count)) }.first
  }
}
