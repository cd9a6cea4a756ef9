import Codecs
import JSON
import SchemaRegistry
import Testing

/// Topics whose records were written under many versions of a schema.
@Suite(.timeLimit(.minutes(15)))
struct SchemaDriftTests {
  /// Fields that versions of the schema are made of; all but two are tagged.
  private static let fields = [
    "id": #"{"name":"id","type":"long"}"#,
    "ssn": #"{"name":"ssn","type":"string","confluent:tags":["PII"]}"#,
    "old": #"{"name":"old","type":"string","default":"","confluent:tags":["PII"]}"#,
    "email": #"{"name":"email","type":"string","default":"","confluent:tags":["PII"]}"#,
    "city": #"{"name":"city","type":"string","default":""}"#,
    "phone": #"{"name":"phone","type":["null","string"],"default":null,"confluent:tags":["PII"]}"#,
  ]

  /// Fields come and go.
  private static let versions = [
    ["id", "ssn", "old"], ["id", "ssn", "old", "email"], ["id", "ssn", "email"],
    ["id", "ssn", "email", "city"],
    ["id", "ssn", "email", "city", "phone"],
  ]

  private static func schema(_ version: Int) -> String {
    let members = versions[version].compactMap { fields[$0] }.joined(separator: ",")
    return #"{"type":"record","name":"Customer","namespace":"t","fields":[\#(members)]}"#
  }

  private static func document(_ index: Int, version: Int) -> JSONValue {
    var document = JSONObject()
    for name in versions[version] {
      document[name] =
        switch name {
        case "id": JSONValue(index)
        case "city": .string("Oxford \(index)")
        // Nothing in the sink says whether this one is to be sealed; whoever accepts that accepts it in the clear.
        case "old": .string("accepted \(index)")
        default: .string("canary \(name) \(index)")
        }
    }
    return .object(document)
  }

  private static let count = 50

  /// Fifty records, ten of each version in turn, and a sink whose schema is the last version's with rules.
  private func cluster() async throws -> Cluster {
    let cluster = try await Cluster(topics: ["in", "out", "back"])
    var ids: [Int32] = []
    for version in Self.versions.indices {
      let schema = RegisteredSchema(text: Self.schema(version))
      ids.append(try #require(try await cluster.schemas.register(schema, under: Subject("in-value")).id))
    }
    var sink = RegisteredSchema(text: Self.schema(4))
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("out-value"))
    try await cluster.produce(
      (0..<Self.count).map { index in
        let version = index % 5
        let body = try AvroJSONEncoder.body(
          Self.document(index, version: version), schema: AvroSchema(parsing: Self.schema(version)))
        return .init(key: Array("\(index)".utf8), value: [0, 0, 0, 0, UInt8(ids[version])] + body)
      })
    return cluster
  }

  private func file(_ cluster: Cluster, _ more: [String: String]) throws -> PipelineFile {
    try PipelineFile(cluster, more)
  }

  /// The documents of a topic, each under the schema it names.
  private func documents(in topic: String, of cluster: Cluster) async throws -> [JSONValue] {
    var documents: [JSONValue] = []
    for record in try await cluster.records(in: topic) {
      let value = try #require(record.value)
      let schema = try await cluster.schemas.schema(.id(Int32(value[4])), subject: Subject("\(topic)-value"))
      documents.append(
        try Array(value.dropFirst(5)).withUnsafeBytes {
          try AvroJSONDecoder.document($0, schema: AvroSchema(parsing: schema.text))
        })
    }
    return documents
  }

  @Test func differentVersionsAreRefusedUntilThePipelineChooses() async throws {
    let cluster = try await cluster()
    let file = try file(cluster, [:])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 78)
    for version in 1...4 {
      #expect(outcome.errors.contains("in-value version \(version) "), "\(outcome.errors)")
    }
    #expect(!outcome.errors.contains("in-value version 5 "))
    #expect(try await cluster.records().isEmpty)
  }

  @Test func fieldsNobodyDecidedAboutNeedAcceptance() async throws {
    let cluster = try await cluster()
    let file = try file(cluster, ["sink": #"{"topic":"out","whenDifferent":"twin"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("in the clear: t.Customer.old; the sink schema"), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  @Test func twinsKeepEveryStructure() async throws {
    let cluster = try await cluster()
    let file = try file(
      cluster,
      ["sink": #"{"topic":"out","whenDifferent":"twin"}"#, "acceptClear": #"["t.Customer.old"]"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let sealed = try await documents(in: "out", of: cluster)
    #expect(sealed.count == Self.count)
    for (index, document) in sealed.enumerated() {
      #expect(document.object?.map(\.name) == Self.versions[index % 5])
      #expect(!document.serialized().contains("canary"))
    }
    let latest = try await cluster.schemas.latest(Subject("out-value"))
    #expect(latest.text.contains("phone"), "the sink's own schema is the latest again")
    // Opened again under a subject that gets its schemas from the sealed topic's.
    let back = try PipelineFile(
      cluster,
      [
        "name": #""back""#, "source": #"{"topics":["out"],"until":"end"}"#, "steps": #"[{"decrypt":{}}]"#,
        "sink": #"{"topic":"back","whenDifferent":"twin","whenMissing":"register"}"#,
      ])
    let opened = try await back.run()
    #expect(opened.exitCode == 0, "\(opened.errors)")
    #expect(
      try await documents(in: "back", of: cluster)
        == (0..<Self.count).map { Self.document($0, version: $0 % 5) })
  }

  /// A schema that is met with its first record, because the source's subject does not have it.
  @Test func aTwinMadeInMidRunDoesNotStayTheLatest() async throws {
    let cluster = try await Cluster()
    var sink = RegisteredSchema(text: Self.schema(4))
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("out-value"))
    let writer = RegisteredSchema(text: Self.schema(2))
    let id = try #require(try await cluster.schemas.register(writer, under: Subject("elsewhere")).id)
    let body = try AvroJSONEncoder.body(
      Self.document(1, version: 2), schema: AvroSchema(parsing: Self.schema(2)))
    try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(id)] + body)])
    let file = try file(cluster, ["sink": #"{"topic":"out","whenDifferent":"twin"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let documents = try await documents(in: "out", of: cluster)
    #expect(documents.map { $0.object?.map(\.name) } == [Self.versions[2]])
    #expect(!documents.contains { $0.serialized().contains("canary") })
    #expect(try await cluster.schemas.latest(Subject("out-value")).text.contains("phone"))
  }

  /// A version of somebody else's, registered while the job runs, is not to be buried under a twin.
  /// A twin that another instance of the job has just made is none.
  @Test(arguments: [false, true])
  func aTwinDoesNotComeAfterAVersionOfOthers(_ isTwin: Bool) async throws {
    let cluster = try await Cluster()
    var sink = RegisteredSchema(text: Self.schema(4))
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("out-value"))
    func produce(_ version: Int) async throws {
      let schema = RegisteredSchema(text: Self.schema(version))
      let id = try #require(try await cluster.schemas.register(schema, under: Subject("elsewhere")).id)
      let body = try AvroJSONEncoder.body(
        Self.document(1, version: version), schema: AvroSchema(parsing: schema.text))
      try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(id)] + body)])
    }
    let file = try file(
      cluster,
      ["source": #"{"topics":["in"],"from":"earliest"}"#, "sink": #"{"topic":"out","whenDifferent":"twin"}"#])
    try await produce(2)
    let running = try Program.Running(["run", file.path])
    _ = try await cluster.records(atLeast: 1)
    var others = RegisteredSchema(text: Self.schema(2))
    others.ruleSet = Cluster.rules(kek: "others")
    if isTwin { others.metadata = .init(properties: ["reseal.twin": "true"]) }
    let theirs = try await cluster.schemas.register(others, under: Subject("out-value"))
    try await produce(3)
    if isTwin {
      _ = try await cluster.records(atLeast: 2)
      running.interrupt()
      #expect(try await running.outcome().exitCode == 0)
      #expect(try await cluster.schemas.latest(Subject("out-value")).text.contains("phone"))
      return
    }
    let outcome = try await running.outcome()
    #expect(outcome.exitCode == 1 && outcome.errors.contains("new latest version"), "\(outcome.errors)")
    #expect(try await cluster.schemas.latest(Subject("out-value")).id == theirs.id)
    #expect(try await cluster.records().count == 1)
  }

  /// The sink knows the writer's field by another name, and tags it beside its schema.
  @Test func twinsTakeTagsThatStandBesideTheSinksSchema() async throws {
    let cluster = try await Cluster()
    func customer(_ field: String, _ more: String = "", _ others: String = "") -> RegisteredSchema {
      let field = #"{"name":"\#(field)","type":"string","default":""\#(more)}"#
      return RegisteredSchema(
        text: #"{"type":"record","name":"Customer","namespace":"t","fields":[\#(field)\#(others)]}"#)
    }
    let writer = customer("social")
    let id = try #require(try await cluster.schemas.register(writer, under: Subject("in-value")).id)
    var sink = customer("ssn", #","aliases":["social"]"#, #",{"name":"n","type":"int","default":0}"#)
    sink.metadata = .init(tags: ["t.Customer.ssn": ["PII"]])
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("out-value"))
    let body = try AvroJSONEncoder.body(["social": "canary"], schema: AvroSchema(parsing: writer.text))
    try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(id)] + body)])
    let file = try file(cluster, ["sink": #"{"topic":"out","whenDifferent":"twin"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let documents = try await documents(in: "out", of: cluster)
    #expect(documents.count == 1 && documents[0]["social"] != nil)
    #expect(!documents.contains { $0.serialized().contains("canary") })
  }

  private static func address(_ tags: String, _ more: String = "") -> RegisteredSchema {
    let street = #"{"name":"street","type":"string"\#(tags)}"#
    return RegisteredSchema(
      text: #"{"type":"record","name":"Address","namespace":"t","fields":[\#(street)\#(more)]}"#)
  }

  /// A customer at an address that is of a version of its own.
  private static func customer(at version: Int, _ more: String = "") -> RegisteredSchema {
    RegisteredSchema(
      text:
        #"{"type":"record","name":"Customer","namespace":"t","fields":[{"name":"home","type":"t.Address"}\#(more)]}"#,
      references: [.init(name: "t.Address", subject: "address", version: version)])
  }

  private static let tagged = #","confluent:tags":["PII"]"#

  /// What the writer's schema only refers to stays as it is registered.
  @Test func referencedTypesWithoutTheSinksTagsAreRefused() async throws {
    let cluster = try await Cluster()
    for tags in ["", Self.tagged] {
      try await cluster.schemas.register(Self.address(tags), under: Subject("address"))
    }
    let writer = Self.customer(at: 1)
    let id = try #require(try await cluster.schemas.register(writer, under: Subject("in-value")).id)
    var sink = Self.customer(at: 2, #",{"name":"n","type":"int","default":0}"#)
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("out-value"))
    // One record of one text of six bytes.
    try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(id), 12] + Array("canary".utf8))])
    let file = try file(cluster, ["sink": #"{"topic":"out","whenDifferent":"twin"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 78 && outcome.errors.contains("t.Address.street"), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  @Test func oneTextWithTwoReferencesHasTwoTwins() async throws {
    let cluster = try await Cluster()
    for more in ["", #",{"name":"city","type":"string","default":""}"#] {
      try await cluster.schemas.register(Self.address(Self.tagged, more), under: Subject("address"))
    }
    var sink = Self.customer(at: 2, #",{"name":"n","type":"int","default":0}"#)
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("out-value"))
    for (version, body) in [(1, [12] + Array("canary".utf8)), (2, [12] + Array("canary".utf8) + [2, 0x6F])] {
      let writer = Self.customer(at: version)
      let id = try #require(try await cluster.schemas.register(writer, under: Subject("in-value")).id)
      try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(id)] + body)])
    }
    let file = try file(cluster, ["sink": #"{"topic":"out","whenDifferent":"twin"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let values = try await cluster.records().map { String(decoding: $0.value ?? [], as: UTF8.self) }
    #expect(values.count == 2 && !values.contains { $0.contains("canary") })
  }

  @Test func resolutionBringsEverythingToOneStructure() async throws {
    let cluster = try await cluster()
    let file = try file(cluster, ["sink": #"{"topic":"out","whenDifferent":"resolve"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let sealed = try await documents(in: "out", of: cluster)
    #expect(sealed.count == Self.count)
    for (index, document) in sealed.enumerated() {
      #expect(document.object?.map(\.name) == Self.versions[4])
      #expect(document["id"] == JSONValue(index))
      #expect(!document.serialized().contains("canary"))
    }
  }
}
