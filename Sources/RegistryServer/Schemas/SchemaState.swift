/// Subjects and their versions, settings and associations: what the Schema Registry knows.
///
/// Registering, deleting and finding each have a file of their own.
struct SchemaState: Hashable, Codable, Sendable {
  /// In the order of registration.
  var versions: [SchemaVersion] = []
  /// The highest id given out, by context; ids are never given out again. Names the contexts that exist.
  var lastIDs: [String: Int] = [:]
  /// Also for whole contexts, under a subject without a name.
  var configs: [Subject: Config] = [:]
  var modes: [Subject: Mode] = [:]
  var associations: [Association] = []
}

// MARK: - Contexts

extension SchemaState {
  var contexts: [String] { Set(lastIDs.keys).union([Subject.defaultContext]).sortedByCodePoint() }

  mutating func deleteContext(_ context: String) throws(APIError) {
    guard !versions.contains(where: { $0.subject.context == context }) else {
      throw .contextNotEmpty(context)
    }
    lastIDs[context] = nil
  }
}

// MARK: - Settings

extension SchemaState {
  /// The setting of the nearest scope that has one.
  func config<Value>(_ setting: KeyPath<Config, Value?>, for subject: Subject) -> Value? {
    subject.scopes.lazy.compactMap { configs[$0]?[keyPath: setting] }.first
  }

  func compatibility(of subject: Subject) -> Config.Compatibility {
    config(\.compatibility, for: subject) ?? .backward
  }

  /// What is effective for a subject.
  func mode(of subject: Subject) -> Mode {
    if modes[.everything] == .readOnlyOverride { return .readOnlyOverride }
    return subject.scopes.lazy.compactMap { modes[$0] }.first ?? .readWrite
  }

  /// IMPORT is for places without schemas, where ids can be chosen.
  mutating func setMode(_ mode: Mode, of scope: Subject, force: Bool) throws(APIError) {
    if mode == .forward, scope != .everything {
      throw APIError(42204, "Forward mode only supported on global level")
    }
    let hasSchemas = versions.contains { !$0.isDeleted && $0.subject.scopes.contains(scope) }
    if mode == .importing, hasSchemas, !force {
      throw .notPermitted("Cannot import since found existing subjects")
    }
    modes[scope] = mode
  }

  func checkWritable(_ subject: Subject) throws(APIError) {
    guard mode(of: subject).isWritable else {
      throw .notPermitted(
        "Subject \(subject.qualified) in context \(subject.contextInMessages) is in read-only mode")
    }
  }

  /// The subject that stands behind an alias; the subject itself when it is none.
  func aliased(_ subject: Subject) -> Subject {
    configs[subject]?.alias.map(Subject.init) ?? subject
  }

  /// `nil` when the subject of a DEK is not an alias.
  func alias(ofDEKSubject subject: Subject) -> Subject? {
    (configs[subject]?.aliasForDEKs ?? configs[subject]?.alias).map(Subject.init)
  }
}

// MARK: - Storage

extension SchemaState {
  /// Throws for numbers that no request can have caused and with which arithmetic could overflow.
  func validate() throws {
    let numbers = versions.map(\.number) + versions.map(\.id) + lastIDs.values
    guard numbers.allSatisfy({ (0...Int(UInt32.max)).contains($0) }) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "a version or id is out of range"))
    }
  }
}
