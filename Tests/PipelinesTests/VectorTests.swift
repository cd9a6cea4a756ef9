import Codecs
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry
import Testing

@testable import Pipelines

/// Whole messages of the genuine clients, opened and sealed by the record engine with the keys of the vectors.
///
/// What depends on the registry and the key management service while keys are found is tested with the key ring.
struct VectorTests {
  /// Cases that the reference writes and a sealing step refuses, at least in one message, because plaintext of a
  /// tagged field would get out: the reason.
  static let refusedOnWriting: [String: String] = [
    "avro-disabled-rule": "no rule is in effect",
    "avro-enable-at-server": "no rule is in effect",
    "java-avro-enable-at-none": "no rule is in effect",
    "java-avro-enable-at-client-default": "no rule is in effect",
    "java-avro-rule-read-only-mode": "no rule is in effect for writing",
    "java-avro-onfailure-none-partial": "onFailure NONE sends the record on half sealed",
    "java-avro-union-unsupported-leaf": "a branch that cannot be sealed passes in the clear",
    "java-avro-container-multi-union": "an int under a tagged container passes in the clear",
    "protobuf-index-nested-no-rules": "no rules",
    "protobuf-index-nested-one-no-rules": "no rules",
    "protobuf-index-multibyte-no-rules": "no rules",
    "java-json-combined": "a branch that cannot be sealed passes in the clear",
    "java-json-external-tags-plain-path":
      "a pattern without array indexes does nothing in the JVM client; the field is sealed here",
    "avro-recursive":
      "the client leaves the inner record, reached through a union, in the clear; it is sealed here",
  ]

  /// Fields inside a tagged one, or of a rule that is switched off, that the clients leave in the clear, and that a
  /// pipeline must accept by name.
  static let leftClear: [String: Set<String>] = [
    "avro-multi-union": ["com.example.geo.Address.count"],
    "java-avro-container-record": [
      "com.acme.geo.Geo.lat", "com.acme.geo.Geo.lon", "com.acme.geo.Address.middleName",
    ],
    "java-avro-container-map": ["com.acme.shop.LineItem.note"],
    "java-avro-container-array": ["com.acme.shop.LineItem.note"],
    "java-json-container-object": ["$.address.geo.lat"],
    "java-avro-enable-at-all": ["com.acme.shop.Order.ssn"],
  ]

  /// Cases whose clients left plaintext in tagged fields: opened with the option for topics sealed in part.
  static let sealedInPart: Set = [
    "avro-recursive", "java-avro-onfailure-none-partial", "java-json-external-tags-plain-path",
  ]

  /// Cases that a client fails to write because it validates what it has sealed; they are sealed here.
  static let refusedByValidation: Set = ["json-validation-after-encryption-error"]

  /// Cases that only the key ring can decide: the rule names another key management service than the KEK.
  static let decidedByTheKeyRing: Set = ["avro-kms-mismatch-error", "java-avro-kms-mismatch-error"]

  static let covered = VectorCase.all.filter { !decidedByTheKeyRing.contains($0.name) }

  @Test func theFilesAreReadAndTheListsName() {
    #expect(VectorCase.all.count == 188)
    let listed = Array(Self.refusedOnWriting.keys) + Self.decidedByTheKeyRing
    #expect(Set(listed).isSubset(of: VectorCase.all.map(\.name)))
    for format in ["AVRO", "JSON", "PROTOBUF"] {
      let cases = Self.covered.filter { $0.format == format }
      let written = cases.filter { $0.expectWrite == "ok" }
      let refused = written.filter { Self.refusedOnWriting[$0.name] != nil }.count
      print(
        "vectors, \(format): \(written.count) opened, \(written.count - refused) sealed alike, \(refused) refused "
          + "where the client lets plaintext out, \(cases.count - written.count) that must not be sealed")
    }
  }

  @Test(arguments: covered.filter { $0.expectWrite == "ok" })
  func opensWhatTheGenuineClientsWrote(_ vector: VectorCase) async throws {
    for message in vector.messages { try await checkOpening(message, of: vector) }
  }

  @Test(arguments: covered.filter { $0.expectWrite == "ok" && refusedOnWriting[$0.name] == nil })
  func sealsAsTheGenuineClientsDo(_ vector: VectorCase) async throws {
    for message in vector.messages { try await checkSealing(message, of: vector) }
  }

  @Test(arguments: covered.filter { $0.expectWrite == "error" && !refusedByValidation.contains($0.name) })
  func refusesToSealWhatCannotBeSealed(_ vector: VectorCase) async throws {
    #expect(!vector.messages.isEmpty)
    for message in vector.messages {
      await #expect(throws: (any Error).self) {
        // Without its bytes a record is refused before it is looked at, or not at all.
        _ = try await VectorRun(vector, .encrypt(.encrypt)).run(
          message.plainWire ?? [0], message.schemaHeader)
      }
    }
  }

  @Test(arguments: covered.filter { refusedOnWriting[$0.name] != nil })
  func refusesWhatWouldLetPlaintextOut(_ vector: VectorCase) async throws {
    var differs = false
    for message in vector.messages {
      let plain = try #require(message.plainWire)
      do {
        let sealed = try await VectorRun(vector, .encrypt(.encrypt)).run(plain, message.schemaHeader)
        if sealed.count != message.wire?.count { differs = true }
      } catch {
        differs = true
      }
    }
    #expect(differs, "listed, but written as the reference writes it")
  }

  // MARK: One message

  private func checkOpening(_ message: VectorCase.Message, of vector: VectorCase) async throws {
    let wire = try #require(message.wire)
    let step = StepSequence.Step.decrypt(.init(passesPlaintext: Self.sealedInPart.contains(vector.name)))
    switch vector.expectRead {
    case "plaintext"?, "readResult"?:
      let opened = try await VectorRun(vector, step).run(wire, message.schemaHeader)
      if let plain = message.plainWire { try require(opened, equals: plain, message, vector) }
    case "withoutRules"?:
      try #require(await VectorRun(vector, step).run(wire, message.schemaHeader) == wire)
    case "error"?:
      await #expect(throws: (any Error).self) {
        try await VectorRun(vector, step).run(wire, message.schemaHeader)
      }
    default: Issue.record("an unknown expectation")
    }
  }

  /// Sealing gives as many bytes as the client's, the very same where the algorithm is deterministic; sealing them
  /// again changes nothing, and they open to the same record.
  private func checkSealing(_ message: VectorCase.Message, of vector: VectorCase) async throws {
    // The 100 kB case comes without its plain bytes; opening it gives them.
    let wire = try #require(message.wire)
    var plain = message.plainWire ?? []
    if plain.isEmpty {
      plain = try await VectorRun(vector, .decrypt(.init())).run(wire, message.schemaHeader)
    }
    let sealing = try VectorRun(vector, .encrypt(.encrypt))
    let sealed = try await sealing.run(plain, message.schemaHeader)
    let (comparable, expected) = (comparable(sealed, message, vector), comparable(wire, message, vector))
    #expect(comparable.count == expected.count)
    #expect((sealed != plain) == (expected != self.comparable(plain, message, vector)))
    if vector.isDeterministic { try #require(comparable == expected) }
    try #require(await sealing.run(sealed, message.schemaHeader) == sealed)
    let opening = try VectorRun(vector.withRulesBothWays(), .decrypt(.init()), secret: vector.writeSecret)
    try require(await opening.run(sealed, message.schemaHeader), equals: plain, message, vector)
  }

  private func require(
    _ found: [UInt8], equals expected: [UInt8], _ message: VectorCase.Message, _ vector: VectorCase
  ) throws {
    try #require(comparable(found, message, vector) == comparable(expected, message, vector))
  }

  /// What follows the frame. JSON texts are compared as documents: clients spell characters in several ways, and
  /// the JVM client writes null for what is absent.
  private func comparable(
    _ bytes: [UInt8], _ message: VectorCase.Message, _ vector: VectorCase
  ) -> [UInt8] {
    let body = Array(bytes.dropFirst(message.schemaHeader == nil ? 5 : 0))
    guard vector.format == "JSON" else { return body }
    do {
      return Array(try JSONValue(parsing: body).withoutNulls.serialized().utf8)
    } catch {
      // A sealed payload is no JSON.
      return body
    }
  }
}

extension JSONValue {
  fileprivate var withoutNulls: JSONValue {
    switch self {
    case .object(let members):
      var kept = JSONObject()
      for (name, value) in members where !value.isNull { kept[name] = value.withoutNulls }
      return .object(kept)
    case .array(let elements): return .array(elements.map(\.withoutNulls))
    default: return self
    }
  }
}

extension VectorCase {
  /// Whether sealing must give the very same bytes; with several versions the vector does not say which was used.
  fileprivate var isDeterministic: Bool {
    deks.keys.allSatisfy { $0.algorithm.isDeterministic && $0.version == 1 }
  }

  /// The newest version under the subject that records are written to.
  fileprivate var newestSchema: RegisteredSchema {
    let own = schemas.filter { $0.subject == subject.name }
    return (own.isEmpty ? schemas : own).max { ($0.version ?? 0) < ($1.version ?? 0) }
      ?? RegisteredSchema(text: "")
  }

  fileprivate func newestVersion(of family: KeyFamilyIdentity) -> Int32? {
    deks.keys.filter { KeyName(family, version: $0.version).identity == $0 }.map(\.version).max()
  }

  /// The newest key in the vector for a rule.
  fileprivate func target(_ entry: SealingRules.Entry) -> SinkSubject.Target {
    let family = KeyFamilyIdentity(entry.specification, subject: subject, side: .source)
    return .init(entry, key: KeyName(family, version: newestVersion(of: family) ?? 1))
  }

  /// In these vectors no reference refers further.
  fileprivate func references(of schema: RegisteredSchema) -> [ReferencedSchema] {
    schema.references.compactMap { reference in
      schemas.first { $0.subject == reference.subject && $0.version == reference.version }
        .map { ReferencedSchema(name: reference.name, text: $0.text) }
    }
  }

  /// With the rules that only write or only read running both ways, so that a test can look inside.
  fileprivate func withRulesBothWays() -> VectorCase {
    var copy = self
    copy.schemas = schemas.map { schema in
      var schema = schema
      for index in schema.ruleSet?.domainRules.indices ?? 0..<0 {
        schema.ruleSet?.domainRules[index].mode = .writeRead
      }
      for index in schema.ruleSet?.encodingRules.indices ?? 0..<0 {
        schema.ruleSet?.encodingRules[index].mode = .writeRead
      }
      return schema
    }
    return copy
  }
}

/// A record engine with one vector's registry and key management service behind it.
struct VectorRun {
  private let vector: VectorCase
  private let compiler: PlanCompiler
  private let sink: SinkSubject
  private let secret: String

  init(_ vector: VectorCase, _ step: StepSequence.Step, secret: String? = nil) throws {
    self.vector = vector
    let steps = StepSequence([step])
    self.secret = secret ?? (steps.seals ? vector.writeSecret : vector.readSecret)
    let naming = SubjectNaming(topic: "t", isKey: vector.isKey, fixed: vector.subject)
    var settings = PlanSettings(steps: steps, source: naming, sink: naming)
    settings.sourceRules = vector.ruleSettings
    settings.containerTagsReachChildren = vector.isJava
    settings.allowances.clearFields = VectorTests.leftClear[vector.name] ?? []
    compiler = PlanCompiler(settings)
    let newest = vector.newestSchema
    let schema = try ParsedSchema(newest, references: vector.references(of: newest), named: "sink")
    guard steps.seals else {
      sink = SinkSubject(subject: vector.subject, schema: schema)
      return
    }
    let rules = try SealingRules(of: newest, subject: vector.subject, settings: vector.ruleSettings)
    sink = SinkSubject(
      subject: vector.subject, schema: schema, fieldTargets: rules.fields.map(vector.target),
      payloadTargets: rules.payload.map(vector.target))
  }

  /// The record as it comes out, frame included.
  func run(_ value: [UInt8], _ header: [UInt8]?) async throws -> [UInt8] {
    let engine = RecordEngine()
    while true {
      let outcome = value.withUnsafeBytes { value in
        guard let header else { return engine.process(value, schemaHeader: nil) }
        return header.withUnsafeBytes { engine.process(value, schemaHeader: $0) }
      }
      switch outcome {
      case .unchanged: return value
      case .rewritten: return Array(engine.output)
      case .failed(let failure, _): throw failure
      case .needsPlan(let request): engine.setPlan(try answer(request), for: request)
      case .needsKey(let name): engine.setKey(await key(name.identity), for: name)
      case .needsVersions(let family):
        engine.setHighestVersion(vector.newestVersion(of: family) ?? 0, of: family)
      case .needsSuccessor(let name): throw FieldFailure.usedUp(name, .newVersionNeeded)
      }
    }
  }

  private func answer(_ request: PlanRequest) throws -> PlanAnswer {
    let schema = try #require(vector.schemas.first { $0.matches(request.reference) })
    let writer = try ParsedSchema(schema, references: vector.references(of: schema), named: "writer")
    if writer.hasMessages, request.message == nil { return .needsMessage }
    return .plan(try compiler.plan(for: writer, message: request.message, under: sink, named: "writer"))
  }

  private func dataKey(_ identity: DEKIdentity, _ serialized: [UInt8]) throws -> DataKey {
    let material = try serialized.withUnsafeBytes { try KeyMaterial(serialized: $0, for: identity.algorithm) }
    return DataKey(identity: identity, material: material)
  }

  private func key(_ identity: DEKIdentity) async -> Result<DataKey, KeyError> {
    guard let wrapped = vector.deks[identity] else {
      return .failure(KeyError(.missing, identity, "not in the vector"))
    }
    do {
      if let unwrapped = wrapped.unwrapped { return .success(try dataKey(identity, unwrapped)) }
      let kms = try LocalKMS(environment: [:]).key(
        "any", properties: ["secret": wrapped.secretOfKEK ?? secret])
      return .success(
        try await kms.unwrap(wrapped.material).withUnsafeBytes { try dataKey(identity, Array($0)) })
    } catch {
      return .failure(KeyError(.damaged, identity, "\(error)"))
    }
  }
}

extension RegisteredSchema {
  fileprivate func matches(_ reference: SchemaReference) -> Bool {
    switch reference {
    case .id(let id): self.id == id
    case .guid(let guid): self.guid == guid
    }
  }
}
