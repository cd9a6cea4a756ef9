import JSON
import Testing

@testable import SchemaRegistry

struct MissingPermissionTests {
  @Test(
    arguments: [
      (
        "User is denied operation Read on Kek: pii", "GET /dek-registry/v1/keks/pii",
        ["Read on Kek:pii", "DeveloperRead"]
      ),
      (
        "User is denied operation Register on Kek: pii", "POST /dek-registry/v1/keks",
        ["Register on Kek:pii", "DeveloperWrite"]
      ),
      (
        "User is denied operation Write on Subject: a b-value; error code: 40301",
        "POST /subjects/x/versions",
        ["Write on Subject:a b-value", "DeveloperWrite"]
      ),
      (
        "Forbidden", "DELETE /dek-registry/v1/keks/k/deks/%3A.lab%3As",
        ["Delete on Kek:k and Subject::.lab:s", "ResourceOwner"]
      ),
      ("Forbidden", "GET /subjects/orders-value/versions/latest", ["Read on Subject:orders-value"]),
      ("no", "GET /contexts", ["does not allow"]),
      ("User is denied operation", "GET /contexts", ["does not allow"]),
    ])
  func aRefusalNamesRolePermissionAndResource(_ message: String, _ request: String, _ words: [String]) {
    let body: JSONValue = ["error_code": 40301, "message": .string(message)]
    let error = RegistryError(status: 403, body: body, request: request)
    #expect(error.reason == .forbidden)
    for word in words { #expect(error.description.contains(word), "\(error)") }
  }

  @Test func aServiceThatDeniesTheRegistryIsAnotherMatter() {
    let body: JSONValue = [
      "error_code": 40370, "message": "Could not generate raw dek for s: access denied",
    ]
    let error = RegistryError(status: 403, body: body, request: "GET /dek-registry/v1/keks/k/deks/s")
    #expect(error.description.contains("keys policy") && !error.description.contains("DeveloperRead"))
  }
}
