import JSON
import Testing

/// Whatever is sent, an answer comes back and the server lives.
struct MalformedRequestTests {
  private static let bodies: [String] =
    [
      "", " ", "null", "{", "}", "[", "[]", "\"x\"", "0", "-", "1e999999", "tru", "{\"schema\"}",
      "{\"schema\":}",
      "{\"schema\":[]}", "{\"schema\":{}}", "{\"schema\":\"\\u0000\"}", "{\"schema\":\"\\ud800\"}",
      "\u{FEFF}{}",
      "{\"version\":1e999999}", "{\"version\":99999999999999999999}", "{\"version\":-9223372036854775808}",
      "{\"version\":1.5,\"encryptedKeyMaterial\":\"\"}", "{\"id\":2147483648}", "{\"references\":[null]}",
      "{\"schema\":\"\\\"int\\\"\",\"references\":[{}]}", "{\"ruleSet\":[]}",
      "{\"ruleSet\":{\"domainRules\":[1]}}",
      "{\"metadata\":{\"tags\":{\"a\":null}}}", "{\"name\":\"k\",\"kmsProps\":{\"a\":[]}}", "{\"mode\":[]}",
      "{\"compatibility\":1}", "{\"associations\":[[]]}", "{\"tagsToAdd\":[{}]}", "{} {}",
      "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"A\\\",\\\"fields\\\":[1]}\"}",
      "{\"schema\":\"{\\\"type\\\":{\\\"type\\\":{}}}\"}", "{\"schema\":\"[[]]\"}", "{\"schema\":\"5\"}",
      String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
    ]

  private static let places = [
    ("POST", "/subjects/s/versions"), ("POST", "/subjects/s"), ("POST", "/subjects/s/versions/1/tags"),
    ("POST", "/compatibility/subjects/s/versions/latest"), ("PUT", "/config"), ("PUT", "/config/s"),
    ("PUT", "/mode"), ("PUT", "/mode/s"), ("POST", "/associations"), ("POST", "/dek-registry/v1/keks"),
    ("PUT", "/dek-registry/v1/keks/k"), ("POST", "/dek-registry/v1/keks/k/deks"),
    ("POST", "/dek-registry/v1/keks/k/deks/s"), ("POST", "/dek-registry/v1/keks/k/test"),
  ]

  @Test(arguments: places)
  func everyBodyGetsAnAnswer(method: String, path: String) async throws {
    try await withServer { client in
      try await fill(client)
      for body in Self.bodies {
        let response = try await client.send(method, path, body: body)
        #expect((200..<500).contains(response.status), "\(body.prefix(80)): \(response.text)")
        #expect(throws: Never.self) { try response.json }
      }
    }
  }

  @Test(arguments: [
    "/schemas/ids/99999999999999999999", "/schemas/ids/-2147483648", "/schemas/ids/%20",
    "/subjects?offset=-1",
    "/subjects?limit=99999999999", "/subjects?limit=2147483647&offset=2147483647", "/schemas?limit=x",
    "/subjects/s/versions/2147483648", "/subjects/s/versions/%F0%9F%98%80", "/subjects?subjectPrefix=:",
    "/subjects?subjectPrefix=:.", "/subjects?subjectPrefix=:*", "/contexts//subjects", "/contexts/:/subjects",
    "/subjects/:.x/versions", "/subjects/s/metadata?key=a",
    "/dek-registry/v1/keks/k/deks/s/versions/-2147483649",
    "/dek-registry/v1/keks/k/deks/s?algorithm=%00", "/%", "/\u{80}", "*", "http://other/subjects",
  ])
  func everyTargetGetsAnAnswer(_ target: String) async throws {
    try await withServer { client in
      try await fill(client)
      #expect((200..<500).contains(try await client.get(target).status))
    }
  }

  /// What is no HTTP may be answered by closing the connection.
  @Test(arguments: [
    "\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\n", "POST /config HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST /config HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    "POST /config HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    "POST /config HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "FOO / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "POST /config HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
  ])
  func noBytesStopTheServer(_ bytes: String) async throws {
    try await withServer { client in
      _ = try await client.sendRaw(Array(bytes.utf8))
      _ = try await client.sendRaw([0xFF, 0xFE, 0x00, 0x0D, 0x0A, 0x0D, 0x0A])
      #expect(try await client.get("/").text == "{}")
    }
  }

  @Test func aBodyBeyondTheLimitIsRefused() async throws {
    try await withServer { client in
      let schema = String(repeating: " ", count: 16 << 20)
      let refused = try await client.post("/subjects/s/versions", ["schema": .string(schema)])
      #expect(refused.status == 413)
      let taken = try await client.post(
        "/subjects/s/versions", ["schema": .string("\(schema.dropLast(100))\"int\"")])
      #expect(taken.status == 200)
    }
  }

  private func fill(_ client: RawHTTPClient) async throws {
    _ = try await client.post("/subjects/s/versions", ["schema": "\"int\""])
    let kek: JSONValue = ["name": "k", "kmsType": "local-kms", "kmsKeyId": "m"]
    _ = try await client.post("/dek-registry/v1/keks", kek)
  }
}
