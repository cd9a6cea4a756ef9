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
    try await list(
      Self.path(), subjectPrefixes.map { ("subjectPrefix", $0) } + Self.deleted(includingDeleted),
      of: \.string)
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
    try await list(Self.path(kek, "deks"), Self.deleted(includingDeleted), of: \.string).map { Subject($0) }
  }

  /// Ascending; none for a subject without such a DEK.
  package func versions(
    kek: String, subject: Subject, algorithm: DEKAlgorithm, includingDeleted: Bool = false
  ) async throws(RegistryError) -> [Int32] {
    let path = Self.path(kek, "deks", subject.name, "versions")
    let query = Self.deleted(includingDeleted) + [("algorithm", algorithm.rawValue)]
    let numbers = try await absentAsNil { () throws(RegistryError) in
      try await list(path, query, of: \.integer)
    }
    return numbers?.compactMap { Int32(exactly: $0) } ?? []
  }

  /// Stores a DEK wrapped anew; the key and its version stay, its time moves. `wrapped` is left out for a shared
  /// KEK, whose registry wraps it itself.
  ///
  /// Throws a ``RegistryError/Reason/conflict`` at registries up to 8.1.0, which know no `rewrap` and take the request
  /// for one to make a DEK that exists.
  package func rewrapDEK(_ identity: DEKIdentity, wrapped: [UInt8]?) async throws(RegistryError) -> DEK? {
    do throws(RegistryError) {
      return try await postDEK(identity, wrapped: wrapped, query: [("rewrap", "true")])
    } catch {
      guard error.reason == .conflict else { throw error }
      throw RegistryError(
        .conflict, request: error.request, code: error.code,
        message:
          "\(error.message): registries up to 8.1.0 cannot store a DEK wrapped anew (rewrap=true); a newer one "
          + "can, and so can a move to another KEK")
    }
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

  /// More than any registry holds; one that goes on beyond has no end.
  private static let maximumCount = 1_000_000

  /// A list in as many pages as the registry makes of it.
  ///
  /// Registries before 7.7.4, 7.8.3, 7.9.2 and 8.0.0 know no `offset` and answer with the whole list every time: a
  /// page that brings nothing new is the end.
  private func list<Element: Hashable>(
    _ path: [String], _ query: [(String, String)], of element: (JSONValue) -> Element?
  ) async throws(RegistryError) -> [Element] {
    var elements: [Element] = []
    var known: Set<Element> = []
    while true {
      let page = try await transport.json(.get, path, query: query + [("offset", String(elements.count))])
      let new = page.array?.compactMap(element).filter { known.insert($0).inserted } ?? []
      guard !new.isEmpty else { return elements }
      elements += new
      guard elements.count <= Self.maximumCount else {
        throw RegistryError(
          .malformedAnswer, request: "GET /\(path.joined(separator: "/"))", message: "a list without an end")
      }
    }
  }
}
