package import FieldCrypto
package import SchemaRegistry
internal import HTTPClient
internal import JSON

/// The DEK Registry calls a job makes (specification section F.2). Stateless; ``KeyRing`` remembers.
///
/// Absence is a value (`nil`); a refusal (401, 403) never counts as absence.
package struct DEKRegistryClient: Sendable {
  /// Which version of a DEK to ask for.
  package enum Version: Sendable, Hashable {
    /// What a rule without rotation means: the registry answers version 1.
    case unversioned
    case latest
    case number(Int32)
  }

  let transport: RegistryTransport

  package init(_ transport: RegistryTransport) { self.transport = transport }

  // MARK: KEKs

  /// `context` is that of the subject the KEK is asked for; `nil` for the default one.
  package func kek(
    _ name: String, context: String? = nil, includingDeleted: Bool
  ) async throws(RegistryError) -> KEK? {
    let query = [("deleted", includingDeleted ? "true" : "false")] + Self.query(context)
    return try await absentAsNil { () throws(RegistryError) -> KEK in
      try kek(try await transport.json(.get, Self.path(name), query: query), "GET", name)
    }
  }

  /// Throws a ``RegistryError/Reason/conflict`` when the name is taken.
  package func createKEK(
    _ name: String, kmsType: String, kmsKeyID: String, kmsProperties: [String: String] = [:],
    documentation: String? = nil, isShared: Bool = false, context: String? = nil
  ) async throws(RegistryError) -> KEK {
    var body: JSONObject = [
      "name": .string(name), "kmsType": .string(kmsType), "kmsKeyId": .string(kmsKeyID),
    ]
    if !kmsProperties.isEmpty { body["kmsProps"] = Self.kmsProperties(kmsProperties) }
    body["doc"] = documentation.map(JSONValue.string)
    body["shared"] = .bool(isShared)
    let answer = try await transport.json(
      .post, Self.path(), query: Self.query(context), body: .object(body))
    return try kek(answer, "POST", name)
  }

  static func kmsProperties(_ properties: [String: String]) -> JSONValue {
    var members = JSONObject()
    for (key, value) in properties.sorted(by: { $0.key < $1.key }) { members[key] = .string(value) }
    return .object(members)
  }

  func kek(_ value: JSONValue, _ method: String, _ name: String) throws(RegistryError) -> KEK {
    guard let kek = KEK(value) else {
      throw RegistryError(
        .malformedAnswer, request: "\(method) KEK \(name)", message: "the answer is no description of a KEK")
    }
    return kek
  }

  // MARK: DEKs

  package func dek(
    kek: String, subject: Subject, algorithm: DEKAlgorithm, version: Version, includingDeleted: Bool
  ) async throws(RegistryError) -> DEK? {
    var path = Self.path(kek, "deks", subject.name)
    switch version {
    case .unversioned: break
    case .latest: path += ["versions", "-1"]
    case .number(let number): path += ["versions", String(number)]
    }
    let query = [("deleted", includingDeleted ? "true" : "false"), ("algorithm", algorithm.rawValue)]
    let found = try await absentAsNil { () throws(RegistryError) -> DEK? in
      let answer = try await transport.answer(.get, path, query: query)
      return try dek(answer, kek, subject, algorithm, "GET")
    }
    return found ?? nil
  }

  /// Creates a DEK. `wrapped` is left out for a shared KEK, whose registry makes the key itself. Throws a
  /// ``RegistryError/Reason/conflict`` when the version exists.
  package func createDEK(
    kek: String, subject: Subject, algorithm: DEKAlgorithm, version: Int32, wrapped: [UInt8]?
  ) async throws(RegistryError) -> DEK? {
    try await postDEK(
      DEKIdentity(kek: kek, subject: subject, algorithm: algorithm, version: version), wrapped: wrapped)
  }

  func postDEK(
    _ identity: DEKIdentity, wrapped: [UInt8]?, query: [(String, String)] = []
  ) async throws(RegistryError) -> DEK? {
    let subject = identity.subject
    var body: JSONObject = [
      "subject": .string(subject.name), "version": JSONValue(Int(identity.version)),
      "algorithm": .string(identity.algorithm.rawValue),
    ]
    if let wrapped { body["encryptedKeyMaterial"] = .string(Base64.encode(wrapped)) }
    let answer: HTTPBody
    do throws(RegistryError) {
      answer = try await transport.answer(
        .post, Self.path(identity.kek, "deks", subject.name), query: query, body: .object(body))
    } catch  where error.reason == .notSupported && query.isEmpty {
      // Registries from before the subject moved into the path.
      answer = try await transport.answer(.post, Self.path(identity.kek, "deks"), body: .object(body))
    }
    return try dek(answer, identity.kek, subject, identity.algorithm, "POST")
  }

  private func dek(
    _ answer: HTTPBody, _ kek: String, _ subject: Subject, _ algorithm: DEKAlgorithm, _ method: String
  ) throws(RegistryError) -> DEK? {
    do {
      return try answer.withUnsafeBytes { try DEK($0, kek: kek, subject: subject, algorithm: algorithm) }
    } catch {
      throw RegistryError(
        .malformedAnswer, request: "\(method) DEK of \(subject)",
        message: "the answer is no description of a DEK: \(error)")
    }
  }

  // MARK: Requests

  /// Newer clients name the context, older ones and some servers know it from subjects only.
  private static func query(_ context: String?) -> [(String, String)] {
    context.map { [("context", $0)] } ?? []
  }

  static func path(_ segments: String...) -> [String] { ["dek-registry", "v1", "keks"] + segments }

  func absentAsNil<Result: Sendable>(
    _ request: () async throws(RegistryError) -> Result
  ) async throws(RegistryError) -> Result? {
    do throws(RegistryError) {
      return try await request()
    } catch  where error.reason == .notFound {
      return nil
    }
  }
}
