import Codecs
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry
import Testing

@testable import Pipelines

/// A record engine between two Avro schemas, with a key for whatever it asks for.
final class EngineBench {
  static let source = Subject("in-value")
  static let target = Subject("out-value")

  var writer: RegisteredSchema
  var sink: RegisteredSchema
  var settings: PlanSettings
  /// Of the record that last came out.
  private(set) var counts = FieldCounts()
  private var keys: [DEKIdentity: DataKey] = [:]

  /// - Parameters:
  ///   - writer: the members of the writer's record, as ``field(_:_:_:)`` makes them.
  ///   - sink: the same of the sink's; as the writer's when `nil`.
  init(
    _ steps: [StepSequence.Step], writer: [String], _ writerRules: [Rule], sink: [String]? = nil,
    _ sinkRules: [Rule]
  ) {
    self.writer = Self.schema(writer, writerRules)
    self.sink = Self.schema(sink ?? writer, sinkRules)
    self.writer.id = 1
    self.sink.id = 2
    settings = PlanSettings(
      steps: StepSequence(steps), source: SubjectNaming(topic: "in"), sink: SubjectNaming(topic: "out"))
  }

  static func field(_ name: String, _ tags: String..., type: String = #""string""#) -> String {
    let tags = tags.map { #""\#($0)""# }.joined(separator: ",")
    return #"{"name":"\#(name)","type":\#(type),"confluent:tags":[\#(tags)]}"#
  }

  static func rule(
    _ kek: String, _ tags: String..., mode: Rule.Mode = .writeRead, onFailure: String? = nil
  ) -> Rule {
    var rule = Rule(
      name: kek, mode: mode, type: tags == ["payload"] ? "ENCRYPT_PAYLOAD" : "ENCRYPT",
      tags: tags == ["payload"] ? [] : tags, parameters: ["encrypt.kek.name": kek])
    rule.onFailure = onFailure
    return rule
  }

  private static func schema(_ fields: [String], _ rules: [Rule]) -> RegisteredSchema {
    var ruleSet = RuleSet(domainRules: rules.filter { $0.type == "ENCRYPT" })
    ruleSet.encodingRules = rules.filter { $0.type == "ENCRYPT_PAYLOAD" }
    return RegisteredSchema(
      text: #"{"type":"record","name":"t.R","fields":[\#(fields.joined(separator: ","))]}"#, ruleSet: ruleSet)
  }

  // MARK: Keys

  private func key(_ identity: DEKIdentity) throws -> DataKey {
    if let known = keys[identity] { return known }
    let key = DataKey(identity: identity, material: try KeyMaterial(generatedFor: identity.algorithm))
    keys[identity] = key
    return key
  }

  private func cipher(_ kek: String, _ subject: Subject) throws -> FieldCipher {
    let identity = DEKIdentity(kek: kek, subject: subject, algorithm: .aes256GCM, version: 1)
    return try FieldCipher(key(identity).material, ivs: IVSource())
  }

  /// Text under the keys of these KEKs, innermost first, as clients of a subject write it.
  func sealed(_ text: String, _ keks: String..., of subject: Subject = EngineBench.source) throws -> String {
    try keks.reduce(text) { Base64.encode(try cipher($1, subject).seal(Array($0.utf8))) }
  }

  /// What is inside of layers, outermost first.
  func opened(_ text: String, _ keks: String..., of subject: Subject = EngineBench.target) throws -> String {
    try keks.reduce(text) {
      String(decoding: try cipher($1, subject).open(try #require(Base64.decode($0))), as: UTF8.self)
    }
  }

  func sealed(body: [UInt8], _ keks: String..., of subject: Subject = EngineBench.source) throws -> [UInt8] {
    try keks.reduce(body) { try cipher($1, subject).seal($0) }
  }

  func opened(body: [UInt8], _ keks: String..., of subject: Subject = EngineBench.target) throws -> [UInt8] {
    try keks.reduce(body) { try cipher($1, subject).open($0) }
  }

  // MARK: Records

  func plan() throws -> RecordPlan {
    let compiler = PlanCompiler(settings)
    let writer = try ParsedSchema(writer, references: [], named: "writer")
    let sink = try sinkSubject()
    do throws(Unplannable) {
      return settings.whenDifferent == .resolve
        ? try compiler.plan(resolving: writer, to: sink, named: "writer")
        : try compiler.plan(for: writer, message: nil, under: sink, named: "writer")
    } catch {
      throw error.refusal
    }
  }

  private func sinkSubject() throws -> SinkSubject {
    let schema = try ParsedSchema(sink, references: [], named: "sink")
    guard settings.steps.seals else { return SinkSubject(subject: Self.target, schema: schema) }
    let rules = try SealingRules(
      of: sink, subject: Self.target, settings: settings.sinkRules, allowances: settings.allowances)
    func target(_ entry: SealingRules.Entry) -> SinkSubject.Target {
      let family = KeyFamilyIdentity(entry.specification, subject: Self.target, side: settings.sinkSide)
      return .init(entry, key: KeyName(family, version: 1))
    }
    return SinkSubject(
      subject: Self.target, schema: schema, fieldTargets: rules.fields.map(target),
      payloadTargets: rules.payload.map(target))
  }

  func body(_ document: JSONValue) throws -> [UInt8] {
    try AvroJSONEncoder.body(document, schema: AvroSchema(parsing: writer.text))
  }

  func document(_ body: [UInt8]) throws -> JSONValue {
    let schema = try AvroSchema(parsing: sink.text)
    return try body.withUnsafeBytes { try AvroJSONDecoder.document($0, schema: schema) }
  }

  /// The record that comes out; the failure's error is thrown.
  func run(_ document: JSONValue) throws -> JSONValue { try self.document(try run(body: body(document))) }

  func run(body: [UInt8]) throws -> [UInt8] {
    let engine = RecordEngine()
    let record = [0, 0, 0, 0, 1] + body
    while true {
      defer { counts = engine.counts }
      switch record.withUnsafeBytes({ engine.process($0, schemaHeader: nil) }) {
      case .unchanged: return body
      case .rewritten: return Array(engine.output.dropFirst(5))
      case .failed(let failure, _): throw failure
      case .needsPlan(let request): engine.setPlan(.plan(try plan()), for: request)
      case .needsKey(let name): engine.setKey(.success(try key(name.identity)), for: name)
      case .needsVersions(let family): engine.setHighestVersion(1, of: family)
      case .needsSuccessor(let name): throw FieldFailure.usedUp(name, .newVersionNeeded)
      }
    }
  }
}
