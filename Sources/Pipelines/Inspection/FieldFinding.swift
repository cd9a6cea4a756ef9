internal import FieldCrypto
internal import JSON
internal import SchemaRegistry

/// What whoever looks at a record is told of one tagged field, or of its payload.
struct FieldFinding {
  enum State {
    case plaintext
    /// Under the key that opens its outermost layer.
    case sealed(KeyName)
    /// It may be sealed, and a key that would tell is not at hand.
    case undecryptable(reason: String)
  }

  let state: State
  /// What is inside of all layers; text, or base64 of bytes. Only where it may be shown.
  let value: String?

  var json: JSONValue {
    var members = JSONObject()
    switch state {
    case .plaintext: members["state"] = "plaintext"
    case .sealed(let key):
      members["state"] = "sealed"
      members["kek"] = .string(key.family.kek)
      members["subject"] = .string(key.family.subject.name)
      members["algorithm"] = .string(key.family.algorithm.rawValue)
      members["version"] = JSONValue(Int(key.version))
    case .undecryptable(let reason):
      members["state"] = "undecryptable"
      members["reason"] = .string(reason)
    }
    members["value"] = value.map { .string($0) }
    return .object(members)
  }
}
