import Configuration
import Foundation
import JSON
import KeyManagement
import Testing

@testable import RegistryServer

struct RoleTests {
  @Test(
    arguments: [
      (Role.resourceOwner, Set(Role.Operation.allCases)), (Role.developerRead, Set([.read])),
      (Role.developerWrite, Set([.create, .read, .update])),
    ] as [(Role, Set<Role.Operation>)])
  func aRoleAllowsExactlyItsOperations(_ role: Role, _ operations: Set<Role.Operation>) {
    for operation in Role.Operation.allCases {
      #expect(role.allows(operation) == operations.contains(operation))
    }
  }

  @Test(
    arguments: [
      ("Kek:pii", false, Resource.kek("pii"), true), ("Kek:pii", false, .kek("pii2"), false),
      ("Kek:pii", true, .kek("pii2"), true), ("Kek:pii", true, .kek("pi"), false),
      ("Kek:pii", true, .subject("pii"), false), ("Subject:", true, .subject(""), true),
      ("Subject::.lab:", true, .subject(":.lab:s"), true), ("Subject::.lab:", true, .subject("s"), false),
    ])
  func aBindingCoversItsResource(_ text: String, _ isPrefix: Bool, _ wanted: Resource, _ covers: Bool) throws
  {
    let binding = RoleBinding(
      principal: "p", role: .developerRead, resource: try #require(Resource(text)), isPrefix: isPrefix)
    #expect(binding.allows(.read, on: wanted) == covers)
  }
}

/// A registry in which each caller has one kind of right; every right is also used by a genuine client elsewhere.
struct AccessControlTests {
  private static let keks = "/dek-registry/v1/keks"

  private static let document: JSONValue = [
    "principals": [
      ["name": "owner", "password": "o:w"], ["name": "reader", "password": "r"],
      ["name": "writer", "token": "w-token"], ["name": "nobody", "password": "n"],
    ],
    "bindings": [
      ["principal": "owner", "role": "ResourceOwner", "resource": "Kek:", "prefix": true],
      ["principal": "owner", "role": "ResourceOwner", "resource": "Subject:", "prefix": true],
      ["principal": "reader", "role": "DeveloperRead", "resource": "Kek:k1"],
      ["principal": "reader", "role": "DeveloperRead", "resource": "Subject:orders-", "prefix": true],
      ["principal": "writer", "role": "DeveloperWrite", "resource": "Kek:k", "prefix": true],
      ["principal": "writer", "role": "DeveloperWrite", "resource": "Subject:orders-", "prefix": true],
    ],
  ]

  private struct Caller: Sendable {
    let client: RawHTTPClient
    let authorization: String?

    func callAsFunction(
      _ method: String, _ path: String, _ body: JSONValue? = nil
    ) async throws -> RawHTTPClient.Response {
      var headers = authorization.map { [("Authorization", $0)] } ?? []
      if body != nil { headers.append(("Content-Type", "application/json")) }
      return try await client.send(method, path, headers: headers, body: body?.serialized())
    }
  }

  private func withCallers(_ body: (_ caller: (String?) -> Caller) async throws -> Void) async throws {
    let accessControl = try AccessControl(Self.document)
    try await withServer(accessControl: accessControl) { client in
      try await body { Caller(client: client, authorization: $0) }
    }
  }

  private static func basic(_ userInfo: String) -> String {
    "Basic \(Data(userInfo.utf8).base64EncodedString())"
  }
  private static let owner = basic("owner:o:w")
  private static let reader = basic("reader:r")
  private static let writer = "Bearer w-token"
  private static let nobody = basic("nobody:n")

  @Test(arguments: [
    nil, "Basic", "Basic !", basic("reader:x"), basic("reader"), basic("writer:w-token"), "Bearer r",
    "Digest x",
    "Bearer ",
  ])
  func whoeverIsNotKnownIsAskedWhoTheyAre(_ authorization: String?) async throws {
    try await withCallers { caller in
      for path in ["/subjects", Self.keks, "/nowhere"] {
        let answer = try await caller(authorization)("GET", path)
        #expect(answer.status == 401 && answer.headers["www-authenticate"]?.hasPrefix("Basic") == true)
        #expect(try answer.json == ["error_code": 401, "message": "Unauthorized"])
      }
    }
  }

  @Test func keysNeedTheRightOnKEKAndSubject() async throws {
    try await withCallers { caller in
      func expect(
        _ who: String, _ method: String, _ path: String, _ body: JSONValue? = nil, refusal: String?,
        _ location: SourceLocation = #_sourceLocation
      ) async throws {
        let answer = try await caller(who)(method, Self.keks + path, body)
        let found = answer.status == 403 ? try answer.json["message"]?.string : nil
        #expect(found == refusal.map { "User is denied operation \($0)" }, sourceLocation: location)
        if refusal != nil {
          #expect(try answer.json["error_code"]?.integer == 40301, sourceLocation: location)
        }
        if refusal == nil { #expect(answer.status < 300, sourceLocation: location) }
      }
      func kek(_ name: String) -> JSONValue {
        ["name": .string(name), "kmsType": "local-kms", "kmsKeyId": "m"]
      }
      let dek: JSONValue = ["encryptedKeyMaterial": "AAAA"]
      try await expect(Self.reader, "POST", "", kek("k1"), refusal: "Register on Kek: k1")
      try await expect(Self.writer, "POST", "", kek("x"), refusal: "Register on Kek: x")
      try await expect(Self.writer, "POST", "", kek("k1"), refusal: nil)
      try await expect(Self.owner, "POST", "", kek("x"), refusal: nil)
      try await expect(Self.reader, "PUT", "/k1", ["doc": "d"], refusal: "Write on Kek: k1")
      try await expect(Self.writer, "PUT", "/k1", ["doc": "d"], refusal: nil)
      try await expect(Self.reader, "GET", "/k1", refusal: nil)
      try await expect(Self.reader, "GET", "/x", refusal: "Read on Kek: x")
      try await expect(Self.reader, "POST", "/k1/deks/orders-value", dek, refusal: "Register on Kek: k1")
      try await expect(
        Self.writer, "POST", "/k1/deks/other-value", dek, refusal: "Write on Subject: other-value")
      try await expect(Self.writer, "POST", "/k1/deks/orders-value", dek, refusal: nil)
      try await expect(
        Self.writer, "POST", "/k1/deks", ["subject": "other-value", "encryptedKeyMaterial": "AAAA"],
        refusal: "Write on Subject: other-value")
      try await expect(
        Self.reader, "POST", "/k1/deks/orders-value?rewrap=true", dek, refusal: "Write on Kek: k1")
      try await expect(Self.writer, "POST", "/k1/deks/orders-value?rewrap=true", dek, refusal: nil)
      try await expect(Self.owner, "POST", "/k1/deks/other-value", dek, refusal: nil)
      try await expect(Self.reader, "GET", "/k1/deks/orders-value", refusal: nil)
      try await expect(Self.reader, "GET", "/k1/deks/orders-value/versions", refusal: nil)
      try await expect(
        Self.reader, "GET", "/k1/deks/other-value/versions/1", refusal: "Read on Subject: other-value")
      try await expect(Self.writer, "DELETE", "/k1/deks/orders-value", refusal: "Delete on Kek: k1")
      try await expect(Self.owner, "DELETE", "/k1/deks/orders-value", refusal: nil)
      try await expect(Self.reader, "POST", "/k1/deks/orders-value/undelete", refusal: "Register on Kek: k1")
      try await expect(Self.writer, "POST", "/k1/deks/orders-value/undelete", refusal: nil)
      try await expect(Self.writer, "DELETE", "/k1", refusal: "Delete on Kek: k1")
      // Lists show what may be read.
      #expect(try await caller(Self.owner)("GET", Self.keks).json == ["k1", "x"])
      #expect(try await caller(Self.reader)("GET", Self.keks).json == ["k1"])
      #expect(try await caller(Self.nobody)("GET", Self.keks).json == [])
      #expect(
        try await caller(Self.owner)("GET", "\(Self.keks)/k1/deks").json == ["orders-value", "other-value"])
      #expect(try await caller(Self.reader)("GET", "\(Self.keks)/k1/deks").json == ["orders-value"])
    }
  }

  @Test func schemasNeedTheRightOnTheirSubject() async throws {
    let schema: JSONValue = ["schema": "\"string\""]
    let secret: JSONValue = ["schema": "\"long\""]
    let level: JSONValue = ["compatibility": "NONE"]
    let calls: [(who: String, method: String, path: String, body: JSONValue?, status: Int)] = [
      (Self.reader, "POST", "/subjects/orders-value/versions", schema, 403),
      (Self.writer, "POST", "/subjects/orders-value/versions", schema, 200),
      (Self.writer, "POST", "/subjects/secret-value/versions", secret, 403),
      (Self.owner, "POST", "/subjects/secret-value/versions", secret, 200),
      (Self.reader, "GET", "/subjects/orders-value/versions/latest", nil, 200),
      (Self.reader, "GET", "/subjects/secret-value/versions/latest", nil, 403),
      // Looking a schema up is reading, whatever the method.
      (Self.reader, "POST", "/subjects/orders-value", schema, 200),
      (Self.reader, "POST", "/compatibility/subjects/orders-value/versions", schema, 403),
      // By id, a schema is as readable as the most readable subject that has it, whatever subject is named.
      (Self.reader, "GET", "/schemas/ids/1", nil, 200), (Self.nobody, "GET", "/schemas/ids/1", nil, 403),
      (Self.reader, "GET", "/schemas/ids/2?subject=orders-value", nil, 403),
      (Self.reader, "GET", "/schemas/ids/77", nil, 404),
      (Self.reader, "PUT", "/config/orders-value", level, 403),
      (Self.writer, "PUT", "/config/orders-value", level, 200),
      (Self.writer, "PUT", "/config", level, 403), (Self.owner, "PUT", "/config", level, 200),
      (Self.writer, "DELETE", "/contexts/lab", nil, 403),
      (Self.writer, "DELETE", "/subjects/orders-value", nil, 403),
      (Self.owner, "DELETE", "/subjects/orders-value", nil, 200),
    ]
    try await withCallers { caller in
      for call in calls {
        let status = try await caller(call.who)(call.method, call.path, call.body).status
        #expect(status == call.status, "\(call.who) \(call.method) \(call.path)")
      }
      for (who, subjects) in [(Self.owner, ["secret-value"]), (Self.nobody, [])] as [(String, [String])] {
        let visible = try await caller(who)("GET", "/subjects").json
        #expect(visible == JSONValue.array(subjects.map(JSONValue.string)))
      }
      let schemas = try await caller(Self.reader)("GET", "/schemas").json
      #expect(schemas == [])
    }
  }

  /// Whoever may read and write one name must not reach what another name has by way of it.
  @Test func anAliasGivesNoRights() async throws {
    let dek: JSONValue = ["encryptedKeyMaterial": "AAAA"]
    let schema: JSONValue = ["schema": "\"string\""]
    try await withCallers { caller in
      let kek: JSONValue = ["name": "k1", "kmsType": "local-kms", "kmsKeyId": "m", "shared": true]
      #expect(try await caller(Self.owner)("POST", Self.keks, kek).status == 200)
      #expect(try await caller(Self.owner)("POST", "\(Self.keks)/k1/deks/payroll-value", [:]).status == 200)
      for version in ["/subjects/payroll-value/versions", "/subjects/:.secret:payroll-value/versions"] {
        #expect(try await caller(Self.owner)("POST", version, schema).status == 200)
      }
      let calls: [(who: String, method: String, path: String, body: JSONValue?)] = [
        (Self.writer, "PUT", "/config/orders-mine", ["aliasForDeks": "payroll-value"]),
        (Self.writer, "PUT", "/config/orders-mine", ["alias": "payroll-value"]),
      ]
      for call in calls {
        #expect(try await caller(call.who)(call.method, call.path, call.body).status == 403)
      }
      // Somebody else's alias does not help either.
      for (subject, target) in [("orders-mine", "payroll-value"), ("orders-other", ":.secret:payroll-value")]
      {
        let path = "/config/\(subject)"
        #expect(try await caller(Self.owner)("PUT", path, ["alias": .string(target)]).status == 200)
      }
      for (who, method, path, body) in [
        (Self.reader, "GET", "\(Self.keks)/k1/deks/orders-mine", nil),
        (Self.reader, "GET", "\(Self.keks)/k1/deks/orders-mine/versions", nil),
        (Self.writer, "POST", "\(Self.keks)/k1/deks/orders-mine", dek),
        (
          Self.writer, "POST", "\(Self.keks)/k1/deks",
          ["subject": "orders-mine", "encryptedKeyMaterial": "AAAA"]
        ),
        (Self.reader, "GET", "/subjects/orders-mine/versions/latest", nil),
        (Self.writer, "POST", "/subjects/orders-mine/versions", schema),
        (Self.reader, "GET", "/schemas/ids/1?subject=orders-other", nil),
      ] as [(String, String, String, JSONValue?)] {
        let answer = try await caller(who)(method, path, body)
        #expect(try answer.status == 403 && answer.json["error_code"]?.integer == 40301, "\(method) \(path)")
        #expect(!answer.text.contains("keyMaterial"))
      }
      let read = try await caller(Self.owner)("GET", "\(Self.keks)/k1/deks/orders-mine").json
      #expect(read["subject"] == "payroll-value" && read["keyMaterial"] != nil)
    }
  }

  @Test func aSubjectInTheBodyIsOfTheContextInThePath() async throws {
    try await withCallers { caller in
      let kek: JSONValue = ["name": "k1", "kmsType": "local-kms", "kmsKeyId": "m"]
      #expect(try await caller(Self.owner)("POST", Self.keks, kek).status == 200)
      let dek: JSONValue = ["subject": "s", "encryptedKeyMaterial": "AAAA"]
      let made = try await caller(Self.owner)("POST", "/contexts/.c\(Self.keks)/k1/deks", dek)
      #expect(try made.status == 200 && made.json["subject"] == ":.c:s")
      #expect(try await caller(Self.owner)("GET", "\(Self.keks)/k1/deks/:.c:s").status == 200)
      #expect(try await caller(Self.owner)("GET", "\(Self.keks)/k1/deks/s").status == 404)
    }
  }

  /// One schema in two subjects.
  @Test func onlySubjectsThatMayBeReadAreListed() async throws {
    try await withCallers { caller in
      for subject in ["orders-value", "secret-value"] {
        let path = "/subjects/\(subject)/versions"
        #expect(try await caller(Self.owner)("POST", path, ["schema": "\"string\""]).status == 200)
      }
      let all = try await caller(Self.owner)("GET", "/schemas/ids/1/subjects").json.array ?? []
      #expect(Set(all.compactMap(\.string)) == ["orders-value", "secret-value"])
      #expect(try await caller(Self.reader)("GET", "/schemas/ids/1/subjects").json == ["orders-value"])
      #expect(
        try await caller(Self.reader)("GET", "/schemas/ids/1/versions").json
          == [["subject": "orders-value", "version": 1]])
    }
  }

  @Test func everythingWrongWithADescriptionIsSaidAtOnce() throws {
    let document: JSONValue = [
      "principals": [["name": "a"], ["name": "b", "password": "x", "token": "y"]],
      "bindings": [
        ["principal": "c", "role": "DeveloperRead", "resource": "Kek:k"]
      ],
    ]
    let error = try #require(throws: InvalidAccessControl.self) { try AccessControl(document) }
    #expect(
      error.problems.map(\.path) == ["$.principals[0]", "$.principals[1]", "$.bindings[0].principal"])
    let shape: JSONValue = [
      "principals": [["name": "a", "password": "p"]],
      "bindings": [["principal": "a", "role": "Admin", "resource": "Topic:t", "more": 1]],
    ]
    let shapeError = try #require(throws: InvalidAccessControl.self) { try AccessControl(shape) }
    #expect(shapeError.problems.count == 3)
  }
}
