import Codecs
import FieldCrypto
import Foundation
import JSON
import KeyManagement
import Pipelines
import TestSupport
import Testing

@testable import SchemaRegistry

/// One case of the `e2e-*.json` vectors: registry state and whole messages, made with the genuine clients.
struct VectorCase: CustomTestStringConvertible, Sendable {
  struct Message: Sendable {
    let plainWire: [UInt8]?
    let wire: [UInt8]?
    let schemaHeader: [UInt8]?
  }

  struct WrappedKey: Sendable {
    let material: [UInt8]
    /// A KEK's own property, which wins over the client's configuration.
    let secretOfKEK: String?
    /// What a registry adds for a shared KEK.
    let unwrapped: [UInt8]?
  }

  let name: String
  let format: String
  let subject: Subject
  let isKey: Bool
  let expectWrite: String
  let expectRead: String?
  var schemas: [RegisteredSchema]
  let deks: [DEKIdentity: WrappedKey]
  /// Secrets of the local KMS that the writer and the reader were configured with.
  let writeSecret: String
  let readSecret: String
  let isJava: Bool
  let messages: [Message]
  let ruleSettings: RuleSettings

  var testDescription: String { name }

  static let all = ["e2e-avro.json", "e2e-json.json", "e2e-protobuf.json", "e2e-java.json"].flatMap { file in
    Fixtures.cases(in: "vectors/\(file)") { [try VectorCase($0)] }
  }

  private init(_ value: JSONValue) throws {
    name = try #require(value["name"]?.string)
    isJava = value["madeBy"]?.string?.hasPrefix("java") ?? false
    format = try #require(value["format"]?.string)
    subject = Subject(try #require(value["subject"]?.string))
    isKey = value["isKey"]?.bool ?? false
    expectWrite = try #require(value["expectWrite"]?.string)
    expectRead = value["expectRead"]?.string
    // The JVM client counts as no environment unless it is told, every other as CLIENT.
    let environment = value["clientConfig"]?["execution.environment"]?.string
    ruleSettings = RuleSettings(["execution.environment": environment ?? (isJava ? "" : "CLIENT")])
    schemas = try (value["registry"]?["schemas"]?.array ?? []).map { try RegisteredSchema($0) }
    var deks: [DEKIdentity: WrappedKey] = [:]
    for dek in value["registry"]?["deks"]?.array ?? [] {
      let kek = value["registry"]?["keks"]?.array?.first { $0["name"] == dek["kekName"] }
      let identity = DEKIdentity(
        kek: try #require(dek["kekName"]?.string), subject: Subject(try #require(dek["subject"]?.string)),
        algorithm: try #require(dek["algorithm"]?.string.flatMap(DEKAlgorithm.init(rawValue:))),
        version: Int32(try #require(dek["version"]?.integer)))
      deks[identity] = WrappedKey(
        material: try #require(dek["encryptedKeyMaterial"]?.string.flatMap { Base64.decode($0) }),
        secretOfKEK: kek?["kmsProps"]?["secret"]?.string,
        unwrapped: dek["keyMaterial"]?.string.flatMap { Base64.decode($0) })
    }
    self.deks = deks
    writeSecret = value["writeRuleConfig"]?["secret"]?.string ?? ""
    readSecret = value["readRuleConfig"]?["secret"]?.string ?? ""
    let isKey = isKey
    messages = (value["messages"]?.array ?? []).map { message in
      let headerName = isKey ? Frame.keyHeader : Frame.valueHeader
      return Message(
        plainWire: message["plainWire"]?.string.flatMap { Base64.decode($0) },
        wire: message["wire"]?.string.flatMap { Base64.decode($0) },
        schemaHeader: message["headers"]?.headerValue("\(headerName)"))
    }
  }
}

extension JSONValue {
  /// The value of the last header of this name in a list of `{key, value}`.
  fileprivate func headerValue(_ name: String) -> [UInt8]? {
    array?.last { $0["key"]?.string == name }?["value"]?.string.flatMap { Base64.decode($0) }
  }
}
