package import FieldCrypto
internal import JSON

/// A data encryption key as the DEK Registry holds it: wrapped (specification section F.1).
struct DEK: Hashable, Codable, Sendable {
  let kek: String
  /// The subject as it was sent, so `:.:s` stays `:.:s`.
  let subject: String
  let version: Int
  let algorithm: DEKAlgorithm
  /// Base64 of what the key management service made. Not checked when the KEK is not shared.
  var encryptedKeyMaterial: String
  /// Milliseconds since 1970 of the creation or last change. Clients derive expiry from it.
  var time: Int
  var isDeleted = false

  struct ID: Hashable, Sendable {
    let kek: String
    let subject: Subject
    let algorithm: DEKAlgorithm
    let version: Int
  }

  var id: ID { ID(kek: kek, subject: Subject(subject), algorithm: algorithm, version: version) }

  /// `keyMaterial` is base64 of the unwrapped key; only a shared KEK's answers carry it.
  func json(keyMaterial: String? = nil) -> JSONValue {
    var members: JSONObject = [
      "kekName": .string(kek), "subject": .string(subject), "version": JSONValue(version),
      "algorithm": .string(algorithm.rawValue), "encryptedKeyMaterial": .string(encryptedKeyMaterial),
    ]
    members["keyMaterial"] = keyMaterial.map(JSONValue.string)
    members["ts"] = JSONValue(time)
    if isDeleted { members["deleted"] = true }
    return .object(members)
  }
}

extension DEKAlgorithm: Codable {}

/// The body of a POST of a DEK.
struct DEKRequest: Sendable {
  /// As it was sent, until ``KeyAPI/subject(_:_:_:)`` has said which one is meant.
  var subject: String
  let version: Int
  let algorithm: DEKAlgorithm
  let encryptedKeyMaterial: String?
  let isDeleted: Bool

  /// `subject` is the one in the path, which wins over one in the body.
  init(_ fields: Fields, subject: String?) throws(APIError) {
    let subjectInBody = try fields.text("subject")
    self.subject = subject ?? subjectInBody ?? ""
    version = try fields.integer("version") ?? 1
    algorithm = try fields.choice("algorithm", of: DEKAlgorithm.self) ?? .aes256GCM
    encryptedKeyMaterial = try fields.text("encryptedKeyMaterial")
    isDeleted = try fields.flag("deleted") ?? false
    guard !self.subject.isEmpty, !self.subject.unicodeScalars.contains(where: \.isControl) else {
      throw .invalidKeyField("subject")
    }
  }

  func dek(under kek: String, material: String, time: Int) -> DEK {
    DEK(
      kek: kek, subject: subject, version: version, algorithm: algorithm, encryptedKeyMaterial: material,
      time: time, isDeleted: isDeleted)
  }
}
