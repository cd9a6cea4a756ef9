import FieldCrypto
import JSON
import SchemaRegistry
import TestSupport
import Testing

@testable import KeyManagement

/// Against registries that answer as the embedded one does not.
struct DEKRegistryClientTests {
  private func client(_ server: TestServer) throws -> DEKRegistryClient {
    DEKRegistryClient(
      try RegistryTransport(RegistrySettings(["url": server.url, "max.retries": "0"], at: "$")))
  }

  private let s = Subject("s")

  /// As releases before 7.7.4 do, which know no `offset`.
  @Test func aListThatIsWholeEveryTimeEnds() async throws {
    let server = try TestServer(answering: { request in
      answer(body: request.target.contains("/versions") ? "[1,2]" : #"["a","b"]"#)
    })
    defer { withExtendedLifetime(server) {} }
    let client = try client(server)
    #expect(try await client.kekNames() == ["a", "b"])
    #expect(try await client.subjects(under: "k") == [Subject("a"), Subject("b")])
    #expect(try await client.versions(kek: "k", subject: s, algorithm: .aes256GCM) == [1, 2])
  }

  @Test func everyPageOfAListIsRead() async throws {
    let server = try TestServer(answering: { request in
      let isOfVersions = request.target.contains("/versions")
      let all: [JSONValue] = isOfVersions ? [1, 2, 3, 4, 5] : ["a", "b", "c", "d", "e"]
      let offset = request.target.firstMatch(of: /offset=(\d+)/).flatMap { Int($0.1) } ?? 0
      return answer(body: JSONValue.array(Array(all.dropFirst(offset).prefix(2))).serialized())
    })
    defer { withExtendedLifetime(server) {} }
    let client = try client(server)
    #expect(try await client.kekNames() == ["a", "b", "c", "d", "e"])
    #expect(try await client.versions(kek: "k", subject: s, algorithm: .aes256GCM) == [1, 2, 3, 4, 5])
  }

  @Test func aRegistryWithoutRewrapIsNamed() async throws {
    let server = try TestServer(answering: { _ in
      answer("409 Conflict", body: #"{"error_code":40971,"message":"Key 's' already exists"}"#)
    })
    defer { withExtendedLifetime(server) {} }
    let client = try client(server)
    let identity = DEKIdentity(kek: "k", subject: s, algorithm: .aes256GCM, version: 1)
    let error = try await #require(throws: RegistryError.self) {
      try await client.rewrapDEK(identity, wrapped: [1])
    }
    #expect(error.reason == .conflict && error.description.contains("up to 8.1.0"), "\(error)")
  }
}
