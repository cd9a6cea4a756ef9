package import FieldCrypto
package import SchemaRegistry
internal import HTTPClient
internal import JSON

/// What people do to keys; jobs need none of it (specification section F.2).
extension DEKRegistryClient {
  // MARK: KEKs

  /// In code point order. With prefixes, those of KEKs with a DEK of a subject that begins so.
  package func kekNames(
    subjectPrefixes: [String] = [], includingDeleted: Bool = false
  ) async throws(RegistryError) -> [String] {
    try await names(
      Self.path(), subjectPrefixes.map { ("subjectPrefix", $0) } + Self.deleted(includingDeleted))
  }

  /// Replaces all properties of a KEK. Its key management service and key cannot be changed.
  package func setKMSProperties(_ properties: [String: String], of kek: String) async throws(RegistryError)
    -> KEK
  {
    let body: JSONObject = ["kmsProps": Self.kmsProperties(properties)]
    return try self.kek(try await transport.json(.put, Self.path(kek), body: .object(body)), "PUT", kek)
  }

  /// Softly, so that it can come back and readers still find it; or for good, once that was done.
  /// Throws ``RegistryError/Reason/invalid`` while DEKs exist.
  package func deleteKEK(_ name: String, permanently: Bool = false) async throws(RegistryError) {
    _ = try await transport.answer(.delete, Self.path(name), query: Self.permanent(permanently))
  }

  package func undeleteKEK(_ name: String) async throws(RegistryError) {
    _ = try await transport.answer(.post, Self.path(name, "undelete"))
  }

  /// Has the registry wrap and unwrap a key of its own under a shared KEK. Throws when it cannot.
  package func testSharing(of name: String) async throws(RegistryError) {
    _ = try await transport.answer(.post, Self.path(name, "test"))
  }

  // MARK: DEKs

  /// Subjects that have a DEK of any algorithm.
  package func subjects(under kek: String, includingDeleted: Bool = false) async throws(RegistryError)
    -> [Subject]
  {
    try await names(Self.path(kek, "deks"), Self.deleted(includingDeleted)).map { Subject($0) }
  }

  /// Ascending; none for a subject without such a DEK.
  package func versions(
    kek: String, subject: Subject, algorithm: DEKAlgorithm, includingDeleted: Bool = false
  ) async throws(RegistryError) -> [Int32] {
    let path = Self.path(kek, "deks", subject.name, "versions")
    let query = Self.deleted(includingDeleted) + [("algorithm", algorithm.rawValue)]
    let answer = try await absentAsNil { () throws(RegistryError) in
      try await transport.json(.get, path, query: query)
    }
    return answer?.array?.compactMap { $0.integer.flatMap { Int32(exactly: $0) } } ?? []
  }

  /// Stores a DEK wrapped anew; the key and its version stay, its time moves. `wrapped` is left out for a shared
  /// KEK, whose registry wraps it itself.
  package func rewrapDEK(_ identity: DEKIdentity, wrapped: [UInt8]?) async throws(RegistryError) -> DEK? {
    try await postDEK(identity, wrapped: wrapped, query: [("rewrap", "true")])
  }

  /// As ``deleteKEK(_:permanently:)``; all versions when `version` is `nil`.
  package func deleteDEK(
    kek: String, subject: Subject, algorithm: DEKAlgorithm, version: Int32?, permanently: Bool = false
  ) async throws(RegistryError) {
    _ = try await transport.answer(
      .delete, Self.path(kek, subject, version),
      query: [("algorithm", algorithm.rawValue)] + Self.permanent(permanently))
  }

  package func undeleteDEK(
    kek: String, subject: Subject, algorithm: DEKAlgorithm, version: Int32?
  ) async throws(RegistryError) {
    _ = try await transport.answer(
      .post, Self.path(kek, subject, version) + ["undelete"], query: [("algorithm", algorithm.rawValue)])
  }

  // MARK: Requests

  private static func path(_ kek: String, _ subject: Subject, _ version: Int32?) -> [String] {
    path(kek, "deks", subject.name) + (version.map { ["versions", String($0)] } ?? [])
  }

  private static func deleted(_ flag: Bool) -> [(String, String)] { flag ? [("deleted", "true")] : [] }

  private static func permanent(_ flag: Bool) -> [(String, String)] { flag ? [("permanent", "true")] : [] }

  /// A list in as many pages as the registry makes of it.
  private func names(_ path: [String], _ query: [(String, String)]) async throws(RegistryError) -> [String] {
    var names: [String] = []
    while true {
      let page = try await transport.json(.get, path, query: query + [("offset", String(names.count))])
      guard let found = page.array?.compactMap(\.string), !found.isEmpty else { return names }
      names += found
    }
  }
}
