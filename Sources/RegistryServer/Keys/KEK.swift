internal import JSON

/// A key encryption key as the DEK Registry describes it (specification section F.1). The key itself is in a
/// key management service.
struct KEK: Hashable, Codable, Sendable {
  let name: String
  let kmsType: String
  let kmsKeyID: String
  /// Settings for the driver. May hold credentials.
  var properties: [String: String]
  var doc: String?
  /// Whether the server itself may wrap and unwrap with the key.
  var isShared: Bool
  /// Milliseconds since 1970 of the creation or last change.
  var time: Int
  var isDeleted: Bool

  /// Reads and checks the body of a creation.
  init(creating fields: Fields, time: Int) throws(APIError) {
    name = try fields.text("name") ?? ""
    guard Self.isValidName(name) else { throw .invalidKeyField("name") }
    guard let type = try fields.text("kmsType") else { throw .invalidKeyField("kmsType") }
    kmsKeyID = try fields.text("kmsKeyId") ?? ""
    guard Self.isPlausible(kmsKeyID, for: type) else { throw .invalidKeyField("kmsKeyId") }
    kmsType = Self.normalized(type)
    properties = try fields.textMap("kmsProps") ?? [:]
    doc = try fields.text("doc")
    isShared = try fields.flag("shared") ?? false
    isDeleted = try fields.flag("deleted") ?? false
    self.time = time
  }

  /// Takes over what the body of an update names. An explicit null clears; the time moves only with a change.
  mutating func update(with fields: Fields, time: Int) throws(APIError) {
    let before = self
    if let properties = try fields.textMap("kmsProps") { self.properties = properties }
    if fields.isNull("kmsProps") { properties = [:] }
    if let doc = try fields.text("doc") { self.doc = doc }
    if fields.isNull("doc") { doc = nil }
    if let shared = try fields.flag("shared") { isShared = shared }
    if fields.isNull("shared") { throw .invalidKeyField("shared") }
    if self != before { self.time = time }
  }

  /// Whether two KEKs are the same but for their age and deletion.
  func isEqual(to other: KEK) -> Bool {
    (kmsType, kmsKeyID, properties, doc, isShared)
      == (other.kmsType, other.kmsKeyID, other.properties, other.doc, other.isShared)
  }

  var json: JSONValue {
    var members = description
    members["ts"] = JSONValue(time)
    if isDeleted { members["deleted"] = true }
    return .object(members)
  }

  /// The form in which the genuine server stores a KEK and answers a test of sharing.
  var storedJSON: JSONValue {
    var members = description
    members["deleted"] = .bool(isDeleted)
    members["type"] = "KEK"
    members["offset"] = 0
    members["ts"] = JSONValue(time)
    return .object(members)
  }

  private var description: JSONObject {
    var members: JSONObject = [
      "name": .string(name), "kmsType": .string(kmsType), "kmsKeyId": .string(kmsKeyID),
      "kmsProps": .object(JSONObject(texts: properties)),
    ]
    members["doc"] = doc.map(JSONValue.string)
    members["shared"] = .bool(isShared)
    return members
  }
}

// MARK: - Checks (specification section F.3)

extension KEK {
  /// 1 to 256 characters, first a letter or `_`, then letters, digits, `_` and `-`.
  private static func isValidName(_ name: String) -> Bool {
    let scalars = name.unicodeScalars
    return scalars.first?.startsName == true && scalars.count <= 256 && scalars.allSatisfy(\.continuesName)
  }

  /// The type is compared exactly, so `AWS-KMS` passes with any key id, as it does at the genuine server.
  private static func isPlausible(_ keyID: String, for type: String) -> Bool {
    let prefixes: [String: [String]] = [
      "aws-kms": ["arn:aws:kms:"], "azure-kms": ["https://"], "gcp-kms": ["projects/"],
      "hcvault": ["https://", "http://"],
    ]
    guard let allowed = prefixes[type] else { return !keyID.isEmpty }
    return allowed.contains(where: keyID.hasPrefix)
  }

  private static func normalized(_ type: String) -> String {
    for cloud in ["aws", "azure", "gcp"] where type.lowercased().hasPrefix(cloud) { return "\(cloud)-kms" }
    return type
  }
}
