/// A step where this server answers otherwise than the genuine one, on purpose. No client acts on any.
struct DeliberateDifference: Sendable {
  let transcript: String
  let step: String
  let reason: String

  private init(_ transcript: String, _ step: String, _ reason: String) {
    self.transcript = transcript
    self.step = step
    self.reason = reason
  }

  static let all: [DeliberateDifference] = [
    .init("dek-empty", "keks-neg", "a negative offset is the caller's mistake: 422 instead of a bare 500"),
    .init("dek-keks", "put-null-shared", "shared cannot be null: 422 42271 instead of a bare 500"),
    .init("dek-shared", "with-not-base64", "the material is at fault: 422 42271 instead of a bare 500"),
    .init("dek-shared", "unknown-kms-testsharing", "the 500 says why, as it does for a missing secret"),
    .init(
      "dek-shared", "testsharing-no-props", "a KEK without kmsProps can be tested too: 200 instead of 500"),
    .init("sr-http", "mode-body-empty-object", "no mode is an invalid mode: 422 42204 instead of a bare 500"),
    .init(
      "sr-protobuf-json", "json-incompatible",
      "JSON Schema is not checked for compatibility: 200 instead of 409 40901"),
    .init("sr-register-lookup", "id-unknown-schema", "404 40403 as without /schema, instead of a bare 500"),
    .init("sr-rules", "bad-null-rule", "null is a rule without a name: 422 42210 instead of a bare 500"),
  ]

  static func steps(of transcript: Transcript) -> Set<String> {
    Set(all.filter { $0.transcript == transcript.name }.map(\.step))
  }
}
