import JSON
import Testing

struct ConcurrencyTests {
  private static let keks = "/dek-registry/v1/keks"

  @Test func onlyOneOfManyCreatesAKEK() async throws {
    try await withServer { client in
      let kek: JSONValue = ["name": "k", "kmsType": "local-kms", "kmsKeyId": "m"]
      let statuses = try await race(client, Self.keks, kek)
      #expect(statuses == Self.oneWinner)
    }
  }

  @Test(arguments: [false, true])
  func onlyOneOfManyCreatesADEK(isShared: Bool) async throws {
    try await withServer { client in
      let kek: JSONValue = ["name": "k", "kmsType": "local-kms", "kmsKeyId": "m", "shared": .bool(isShared)]
      let created = try await client.post(Self.keks, kek)
      #expect(created.status == 200)
      let dek: JSONValue = isShared ? [:] : ["encryptedKeyMaterial": "AAAA"]
      let statuses = try await race(client, "\(Self.keks)/k/deks/s-value", dek)
      #expect(statuses == Self.oneWinner)
    }
  }

  @Test func racingRegistrationsOfDifferentSchemasAllGetTheirOwnIDAndVersion() async throws {
    try await withServer { client in
      #expect(try await client.put("/config", ["compatibility": "NONE"]).status == 200)
      let answers = try await withThrowingTaskGroup(of: RawHTTPClient.Response.self) { group in
        for size in 1...8 {
          let schema: JSONValue = ["type": "fixed", "name": "F", "size": JSONValue(size)]
          group.addTask {
            try await client.post("/subjects/s/versions", ["schema": .string(schema.serialized())])
          }
        }
        return try await group.reduce(into: []) { $0.append(try $1.json) }
      }
      for member in ["id", "version"] {
        #expect(Set(answers.map { $0[member]?.integer }) == Set(1...8), "\(member)")
      }
    }
  }

  private static let clients = 8
  private static let oneWinner = [200] + [Int](repeating: 409, count: clients - 1)

  /// The statuses of equal requests sent at once, ascending.
  private func race(_ client: RawHTTPClient, _ path: String, _ body: JSONValue) async throws -> [Int] {
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<Self.clients { group.addTask { try await client.post(path, body).status } }
      return try await group.reduce(into: []) { $0.append($1) }.sorted()
    }
  }
}
