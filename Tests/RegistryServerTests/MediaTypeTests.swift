import Testing

@testable import RegistryServer

struct MediaTypeTests {
  private static let v1 = "application/vnd.schemaregistry.v1+json"

  @Test(
    arguments: [
      (nil, v1), ("", v1), ("*/*", v1), ("application/*;q=0.1", v1),
      ("application/json", "application/json"), ("APPLICATION/JSON", "application/json"),
      ("application/json, */*", "application/json"), ("*/*, application/json;q=0.9", v1),
      (
        "text/html, application/json;q=0.2, application/vnd.schemaregistry+json;q=0.3",
        "application/vnd.schemaregistry+json"
      ),
      ("application/json ; charset=utf-8 ", "application/json;charset=utf-8"),
      ("text/plain", nil), ("application/json;q=0", nil), ("application/json;q=x", nil), (";;;,,=", nil),
    ] as [(String?, String?)])
  func negotiates(accept: String?, type: String?) {
    #expect(MediaType.negotiated(accept: accept) == type)
  }
}
