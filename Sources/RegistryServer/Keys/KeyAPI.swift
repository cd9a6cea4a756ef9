internal import FieldCrypto
internal import JSON
internal import KeyManagement

/// The DEK Registry's part of the API: reads arguments, lets ``KeyState`` decide, prints the outcome
/// (specification section F.2).
struct KeyAPI: Sendable {
  /// The genuine server's `dek.registry.max.keys`: for KEKs and for DEKs, each.
  let maximumKeys: Int
  let drivers: KMSDrivers

  var endpoints: [Endpoint] {
    let keks = "/dek-registry/v1/keks"
    let deks = "\(keks)/{name}/deks"
    return [
      Endpoint(keks, [.get: .state(listKEKs), .post: .service(createKEK)]),
      Endpoint(
        "\(keks)/{name}",
        [.get: .state(getKEK), .put: .service(updateKEK), .delete: .state(deleteKEK)]),
      Endpoint("\(keks)/{name}/undelete", [.post: .state(undeleteKEK)]),
      Endpoint("\(keks)/{name}/test", [.post: .service(testKEK)]),
      // Old clients put the subject into the body.
      Endpoint(deks, [.get: .state(listSubjects), .post: .service(createDEKBySubjectInBody)]),
      Endpoint(
        "\(deks)/{subject}",
        [.get: .service(getDEK), .post: .service(createDEK), .delete: .state(deleteDEK)]),
      Endpoint("\(deks)/{subject}/undelete", [.post: .state(undeleteDEK)]),
      Endpoint("\(deks)/{subject}/versions", [.get: .state(listVersions)]),
      Endpoint("\(deks)/{subject}/versions/{version}", [.get: .service(getDEK), .delete: .state(deleteDEK)]),
      Endpoint("\(deks)/{subject}/versions/{version}/undelete", [.post: .state(undeleteDEK)]),
    ]
  }
}

// MARK: - KEKs

extension KeyAPI {
  @Sendable private func listKEKs(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let names = state.keys.kekNames(
      withSubjectPrefix: call.texts("subjectPrefix"), deleted: call.flag("deleted")
    ).filter { call.permissions.allow(.read, on: .kek($0)) }
    return .json(JSONValue(texts: Array(try call.page(names))))
  }

  @Sendable private func getKEK(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    .json(try state.keys.kek(call.path("name"), deleted: call.flag("deleted")).json)
  }

  @Sendable private func createKEK(_ registry: Registry, _ call: Call) async throws(APIError) -> Answer {
    let kek = try KEK(creating: call.fields("createKek.arg3"), time: call.time)
    try await testSharing(of: kek, call)
    return try await registry.change { (state) throws(APIError) in
      try state.keys.insert(kek, maximum: maximumKeys)
      return .json(kek.json)
    }
  }

  @Sendable private func updateKEK(_ registry: Registry, _ call: Call) async throws(APIError) -> Answer {
    let fields = try call.fields("putKek.arg4")
    let name = call.path("name")
    if call.flag("testSharing") {
      try await testSharing(
        of: registry.read { (state) throws(APIError) in
          var kek = try state.keys.kek(name)
          try kek.update(with: fields, time: call.time)
          return kek
        }, call)
    }
    return try await registry.change { (state) throws(APIError) in
      .json(try state.keys.updateKEK(name, with: fields, time: call.time).json)
    }
  }

  @Sendable private func deleteKEK(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    try state.keys.deleteKEK(call.path("name"), permanently: call.flag("permanent"), time: call.time)
    return .noContent
  }

  @Sendable private func undeleteKEK(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    try state.keys.undeleteKEK(call.path("name"), time: call.time)
    return .noContent
  }

  @Sendable private func testKEK(_ registry: Registry, _ call: Call) async throws(APIError) -> Answer {
    let kek = try await registry.read { (state) throws(APIError) in try state.keys.kek(call.path("name")) }
    guard kek.isShared else { throw .invalidKeyField("shared") }
    try await test(kek)
    return .json(kek.storedJSON)
  }

  /// With `testSharing`, a shared KEK is stored only when the server can use it.
  private func testSharing(of kek: KEK, _ call: Call) async throws(APIError) {
    guard kek.isShared, call.flag("testSharing") else { return }
    do {
      try await test(kek)
    } catch {
      throw APIError(500, "Error while creating key: \(error.message)")
    }
  }

  private func test(_ kek: KEK) async throws(APIError) {
    _ = try await SharedKey(kek: kek, drivers: drivers).makeDataKey(.aes256GCM, subject: "__TEST")
  }
}
