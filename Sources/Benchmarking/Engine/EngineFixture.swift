internal import Codecs
internal import FieldCrypto
internal import KeyManagement
internal import Pipelines
internal import SchemaRegistry

/// Records for one scenario, and a registry's and a key management's answers about them, all in memory.
struct EngineFixture: Sendable {
  /// Records are used over and over; more than these, and the memory's speed would be measured.
  private static let leastRecords = 64

  let scenario: EngineScenario
  let records: RecordBuffer
  private let compiler: PlanCompiler
  private let writer: ParsedSchema
  private let sink: SinkSubject
  private let keys: Keys

  init(_ scenario: EngineScenario) throws {
    self.scenario = scenario
    let sealed = scenario.work == .current ? Keys.new : Keys.old
    let keys = try Keys(versionCount: scenario.versionCount, of: sealed)
    self.keys = keys
    func parsed(sealedUnder kek: String?) throws -> ParsedSchema {
      try ParsedSchema(Self.schema(of: scenario, kek: kek), references: [], named: "sample")
    }
    let isSealed = scenario.opens
    writer = try parsed(sealedUnder: isSealed ? sealed : nil)
    let sinkSchema = try parsed(sealedUnder: scenario.work == .decrypt ? nil : Keys.new)
    sink = try Self.subject(sinkSchema, version: 1)
    compiler = PlanCompiler(Self.settings(scenario.work))

    let count = max(Self.leastRecords, scenario.schemaCount, scenario.versionCount)
    var plain = RecordBuffer()
    for index in 0..<count { plain.append(Self.record(index, of: scenario)) }
    guard isSealed else {
      records = plain
      return
    }
    // The engine seals its own samples, one version of the key after the other.
    let encrypting = PlanCompiler(Self.settings(.encrypt))
    let sealedSchema = writer
    var engines: [Int: RecordEngine] = [:]
    var sealedRecords = RecordBuffer()
    for index in 0..<count {
      let version = index % scenario.versionCount + 1
      let engine = engines[version] ?? RecordEngine()
      engines[version] = engine
      let target = try Self.subject(sealedSchema, version: Int32(version))
      try plain.withRecord(index) { record in
        sealedRecords.append(
          try Self.run(engine, record) {
            try keys.answer($0, to: engine) {
              try Self.answer($0, encrypting, sealedSchema, under: target)
            }
          })
      }
      sealedRecords.restamp(index, as: Self.firstID + Int32(index % scenario.schemaCount))
    }
    records = sealedRecords
  }

  /// An engine that has met every schema and key of the scenario. Not `Sendable`: one for each lane that is measured.
  func makeEngine() throws -> RecordEngine {
    let engine = RecordEngine()
    for index in 0..<records.count {
      try records.withRecord(index) { record in
        _ = try Self.run(engine, record) {
          try keys.answer($0, to: engine) { try Self.answer($0, compiler, writer, under: sink) }
        }
      }
    }
    return engine
  }

  private static func answer(
    _ request: PlanRequest, _ compiler: PlanCompiler, _ writer: ParsedSchema, under sink: SinkSubject
  ) throws -> PlanAnswer {
    if writer.hasMessages, request.message == nil { return .needsMessage }
    return .plan(try compiler.plan(for: writer, message: request.message, under: sink, named: "sample"))
  }

  /// Processes one record, asking `supply` for what the engine lacks.
  private static func run(
    _ engine: RecordEngine, _ record: UnsafeRawBufferPointer, supply: (RecordEngine.Outcome) throws -> Void
  ) throws -> [UInt8] {
    while true {
      let outcome = engine.process(record, schemaHeader: nil)
      switch outcome {
      case .unchanged: return Array(record)
      case .rewritten: return Array(engine.output)
      case .failed(let failure, _): throw failure
      case .needsPlan, .needsKey, .needsVersions: try supply(outcome)
      case .needsSuccessor(let name): throw FieldFailure.usedUp(name, .newVersionNeeded)
      }
    }
  }

  // MARK: Schemas and records

  private static let firstID: Int32 = 1_000
  private static let sinkID: Int32 = 1
  private static let subjectName = Subject("sample-value")

  private static func schema(of scenario: EngineScenario, kek: String?) -> RegisteredSchema {
    var schema = RegisteredSchema(
      type: scenario.schemaType, text: scenario.schemaText,
      ruleSet: kek.map { kek in
        var parameters = ["encrypt.kek.name": kek]
        if scenario.versionCount > 1 { parameters["encrypt.dek.expiry.days"] = "30" }
        return RuleSet(domainRules: [
          Rule(name: "seal", type: "ENCRYPT", tags: [SampleType.tag], parameters: parameters)
        ])
      })
    schema.id = sinkID
    return schema
  }

  private static func subject(_ schema: ParsedSchema, version: Int32) throws -> SinkSubject {
    guard schema.registered.ruleSet != nil else { return SinkSubject(subject: subjectName, schema: schema) }
    let rules = try SealingRules(of: schema.registered, subject: subjectName, settings: RuleSettings([:]))
    return SinkSubject(
      subject: subjectName, schema: schema,
      fieldTargets: rules.fields.map { entry in
        let family = KeyFamilyIdentity(entry.specification, subject: subjectName, side: .source)
        return .init(entry, key: KeyName(family, version: version))
      })
  }

  private static func settings(_ work: EngineScenario.Work) -> PlanSettings {
    let step: StepSequence.Step =
      switch work {
      case .encrypt, .current, .pass: .encrypt(.encrypt)
      case .decrypt: .decrypt(.init())
      case .rekey: .rekey(.rekey)
      }
    let naming = SubjectNaming(topic: "sample", fixed: subjectName)
    return PlanSettings(steps: StepSequence([step]), source: naming, sink: naming)
  }

  private static func record(_ index: Int, of scenario: EngineScenario) -> [UInt8] {
    var values = SampleValues(seed: index + 1)
    let id = firstID + Int32(index % scenario.schemaCount)
    return withUnsafeBytes(of: id.bigEndian) { [0] + $0 } + scenario.body(&values)
  }
}

extension EngineScenario {
  fileprivate var schemaType: SchemaType {
    switch format {
    case .avro: .avro
    case .json: .json
    case .protobuf: .protobuf
    }
  }

  fileprivate var schemaText: String {
    switch format {
    case .avro: type.avroSchema
    case .json: type.jsonSchema
    case .protobuf: type.protobufSchema
    }
  }

  /// What follows the schema id in a record.
  fileprivate func body(_ values: inout SampleValues) -> [UInt8] {
    switch format {
    case .avro: type.avroBody(&values)
    case .json: type.jsonBody(&values)
    // The first message type of the file, spelled short.
    case .protobuf: [0] + type.protobufBody(&values)
    }
  }
}

/// The keys that the samples and the scenarios are sealed under.
private struct Keys: Sendable {
  static let old = "old"
  static let new = "new"

  private let materials: [String: [KeyMaterial]]

  /// - Parameter sealed: the KEK of which there are so many versions; of the other there is one.
  init(versionCount: Int, of sealed: String) throws {
    var materials: [String: [KeyMaterial]] = [:]
    for kek in [Self.old, Self.new] {
      let count = kek == sealed ? versionCount : 1
      materials[kek] = try (0..<count).map { _ in try KeyMaterial(generatedFor: .aes256GCM) }
    }
    self.materials = materials
  }

  /// Gives the engine what it asked for.
  func answer(
    _ question: RecordEngine.Outcome, to engine: RecordEngine, plan: (PlanRequest) throws -> PlanAnswer
  ) throws {
    switch question {
    case .needsPlan(let request): engine.setPlan(try plan(request), for: request)
    case .needsKey(let name):
      guard let versions = materials[name.family.kek], versions.indices.contains(Int(name.version) - 1) else {
        return engine.setKey(.failure(KeyError(.missing, name.identity, "not among the samples")), for: name)
      }
      engine.setKey(
        .success(DataKey(identity: name.identity, material: versions[Int(name.version) - 1])), for: name)
    case .needsVersions(let family):
      engine.setHighestVersion(Int32(materials[family.kek]?.count ?? 0), of: family)
    case .needsSuccessor, .unchanged, .rewritten, .failed: break
    }
  }
}
