import Foundation
import JSON
import RegistryServer
import Testing

struct StateFileTests {
  /// What shows every kind of state.
  private static let paths = [
    "/subjects?deleted=true", "/schemas?deleted=true", "/contexts", "/config", "/config/a-value",
    "/mode/b-value",
    "/schemas/ids/2?fetchMaxId=true", "/subjects/a-value/versions/1/referencedby",
    "/associations/subjects/a-value", "/dek-registry/v1/keks?deleted=true", "/dek-registry/v1/keks/k",
    "/dek-registry/v1/keks/gone?deleted=true", "/dek-registry/v1/keks/k/deks/:.:a-value",
    "/dek-registry/v1/keks/shared/deks/a-value/versions/latest",
  ]

  @Test func aRestartChangesNoAnswer() async throws {
    try await withTemporaryDirectory { directory in
      let file = directory.appending(path: "registry.json").path()
      let before = try await withServer(stateFile: file) { client in
        try await fill(client)
        return try await answers(client)
      }
      let after = try await withServer(stateFile: file) { try await answers($0) }
      #expect(before == after)
      #expect(before.allSatisfy { $0.hasPrefix("200 ") })
      // Ids go on where they were, also above one that was deleted for good.
      let next = try await withServer(stateFile: file) {
        try await $0.post("/subjects/c/versions", ["schema": "\"int\""])
      }
      #expect(try next.json["id"] == 4)
    }
  }

  @Test func onlyTheOwnerMayReadTheFileAndNothingIsLeftBeside() async throws {
    try await withTemporaryDirectory { directory in
      let file = directory.appending(path: "registry.json").path()
      try await withServer(stateFile: file) { try await fill($0) }
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path()) == ["registry.json"])
    }
  }

  @Test(arguments: [
    "", "{", "[]", #"{"format":"reseal-registry","version":1}"#,
    #"{"format":"reseal-registry","version":2,"state":{}}"#,
  ])
  func aDamagedFileIsRefusedAndKept(_ text: String) async throws {
    try await withTemporaryDirectory { directory in
      let file = directory.appending(path: "registry.json")
      try Data(text.utf8).write(to: file)
      var options = RegistryServer.Options()
      options.stateFile = file.path()
      let error = #expect(throws: RegistryServerError.self) { try RegistryServer(options) }
      #expect(error?.description.contains(file.path()) == true)
      #expect(try Data(contentsOf: file) == Data(text.utf8))
    }
  }

  @Test func numbersThatCouldOverflowAreRefused() async throws {
    try await withTemporaryDirectory { directory in
      let file = directory.appending(path: "registry.json")
      try await withServer(stateFile: file.path()) { try await fill($0) }
      let text = try String(contentsOf: file, encoding: .utf8)
      let broken = text.replacing(#""number" : 1,"#, with: #""number" : 9223372036854775807,"#)
      #expect(broken != text)
      try Data(broken.utf8).write(to: file)
      var options = RegistryServer.Options()
      options.stateFile = file.path()
      #expect(throws: RegistryServerError.self) { try RegistryServer(options) }
    }
  }

  @Test func whatCannotBeStoredDoesNotHappen() async throws {
    try await withTemporaryDirectory { directory in
      let missing = directory.appending(path: "missing/registry.json").path()
      try await withServer(stateFile: missing) { client in
        let refused = try await client.post("/subjects/a/versions", ["schema": "\"int\""])
        #expect(refused.status == 500)
        #expect(try refused.json["error_code"] == 50001)
        #expect(try await client.get("/subjects").text == "[]")
      }
    }
  }

  private func fill(_ client: RawHTTPClient) async throws {
    let record = #"{"type":"record","name":"A","fields":[{"name":"a","type":"string"}]}"#
    let holder = #"{"type":"record","name":"B","fields":[{"name":"a","type":"A"}]}"#
    let rules: JSONValue = [
      "domainRules": [["name": "r", "type": "ENCRYPT", "tags": ["PII"], "params": ["encrypt.kek.name": "k"]]]
    ]
    let metadata: JSONValue = [
      "tags": ["A.a": ["PII"]], "properties": ["owner": "me"], "sensitive": ["owner"],
    ]
    let reference: JSONValue = ["name": "A", "subject": "a-value", "version": 1]
    let requests: [(String, JSONValue)] = [
      ("/subjects/a-value/versions", ["schema": .string(record), "metadata": metadata, "ruleSet": rules]),
      ("/subjects/b-value/versions", ["schema": .string(holder), "references": [reference]]),
      ("/subjects/c/versions", ["schema": "\"string\""]),
      ("/contexts/ctx/subjects/d/versions", ["schema": "\"string\""]),
      (
        "/associations",
        [
          "resourceName": "t", "resourceNamespace": "n", "resourceId": "i",
          "associations": [["subject": "a-value", "associationType": "value"]],
        ]
      ),
      (
        "/dek-registry/v1/keks",
        ["name": "k", "kmsType": "local-kms", "kmsKeyId": "m", "kmsProps": ["x": "y"], "doc": "d"]
      ),
      ("/dek-registry/v1/keks", ["name": "gone", "kmsType": "local-kms", "kmsKeyId": "m", "deleted": true]),
      ("/dek-registry/v1/keks", ["name": "shared", "kmsType": "local-kms", "kmsKeyId": "m", "shared": true]),
      ("/dek-registry/v1/keks/k/deks/:.:a-value", ["encryptedKeyMaterial": "AAAA"]),
      ("/dek-registry/v1/keks/shared/deks/a-value", ["version": 3]),
    ]
    for (path, body) in requests { #expect(try await client.post(path, body).status == 200, "\(path)") }
    _ = try await client.put("/config", ["compatibility": "FULL"])
    _ = try await client.put("/config/a-value", ["alias": "z", "defaultRuleSet": rules])
    _ = try await client.put("/config/a-value", ["alias": "a-value"])
    _ = try await client.put("/mode/b-value", ["mode": "READONLY"])
    for query in ["", "?permanent=true"] { _ = try await client.send("DELETE", "/subjects/c\(query)") }
  }

  private func answers(_ client: RawHTTPClient) async throws -> [String] {
    var answers: [String] = []
    for path in Self.paths {
      let response = try await client.get(path)
      answers.append("\(response.status) \(path) \(response.text)")
    }
    return answers
  }
}
