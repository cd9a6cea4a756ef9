import Codecs
import FieldCrypto
import JSON
import SchemaRegistry
import Testing

@testable import Pipelines

/// What a job does to records whose writers were configured otherwise than it is, or whose rules are not the sink's.
struct PlanCompilerTests {
  typealias Bench = EngineBench

  /// A value that looks sealed to nobody who lacks the keys.
  private static let secret = "078-05-1120"

  private func failure(of body: () throws -> Void) throws -> FieldFailure {
    switch try #require(throws: RecordFailure.self, performing: body) {
    case .field(_, _, let failure), .payload(let failure): return failure
    case let other: throw other
    }
  }

  private func expectForeign(_ kek: String, _ body: () throws -> Void) throws {
    let failure = try failure(of: body)
    guard case .foreign(let name) = failure else {
      Issue.record("\(failure)")
      return
    }
    #expect(name.family.kek == kek)
  }

  private func refusal(of bench: Bench) throws -> String {
    try #require(throws: PlanRefusal.self) { try bench.plan() }.reason
  }

  // MARK: Rules that do not run here

  enum Switch: CaseIterable {
    case writeOnly, gateway, disabled, disabledByConfiguration, repeated

    func apply(to bench: Bench) {
      switch self {
      case .writeOnly: bench.writer.ruleSet?.domainRules[0].mode = .write
      case .gateway: bench.writer.ruleSet?.enableAt = .gateway
      case .disabled: bench.writer.ruleSet?.domainRules[0].isDisabled = true
      case .disabledByConfiguration:
        bench.settings.sourceRules = RuleSettings(["rule.executors._ENCRYPT_.disabled": "true"])
      case .repeated: bench.writer.ruleSet?.domainRules.insert(Bench.rule("first", "PII"), at: 0)
      }
    }
  }

  @Test(arguments: Switch.allCases)
  func whatIsSealedUnderARuleThatDoesNotRunIsForeign(_ setting: Switch) throws {
    let fields = [Bench.field("ssn", "PII")]
    let bench = Bench(
      [.encrypt(.encrypt)], writer: fields, [Bench.rule("a", "PII")], [Bench.rule("b", "PII")])
    setting.apply(to: bench)
    let sealed = try bench.sealed(Self.secret, "a")
    try expectForeign("a") { _ = try bench.run(["ssn": .string(sealed)]) }
    bench.settings.steps = StepSequence([.rekey(.rekey)])
    let rekeyed = try bench.run(["ssn": .string(sealed)])
    #expect(try bench.opened(try #require(rekeyed["ssn"]?.string), "b") == Self.secret)
  }

  @Test func whatIsSealedUnderARuleOfTheSinkThatDoesNotRunIsForeign() throws {
    var old = Bench.rule("old", "PII")
    old.isDisabled = true
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("ssn", "PII")], [], [old, Bench.rule("b", "PII")])
    let sealed = try bench.sealed(Self.secret, "old", of: Bench.target)
    try expectForeign("old") { _ = try bench.run(["ssn": .string(sealed)]) }
  }

  @Test(arguments: Switch.allCases)
  func whatOnlySuchARuleSealsMustBeCovered(_ setting: Switch) throws {
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("ssn", "PII"), Bench.field("note", "PII")],
      [Bench.rule("a", "PII")],
      sink: [Bench.field("ssn", "PII"), Bench.field("note")], [Bench.rule("b", "PII")])
    setting.apply(to: bench)
    #expect(try refusal(of: bench).contains("t.R.note"))
    bench.settings.allowances.clearFields = ["t.R.note"]
    #expect(try bench.plan().seals)
  }

  @Test func aPayloadSealedUnderARuleThatDoesNotRunIsForeign() throws {
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("ssn")], [Bench.rule("a", "payload", mode: .write)],
      [Bench.rule("b", "payload")])
    let body = try bench.body(["ssn": .string(Self.secret)])
    try expectForeign("a") { _ = try bench.run(body: bench.sealed(body: body, "a")) }
    bench.sink.ruleSet = RuleSet(domainRules: [Bench.rule("b")])
    for steps in [[StepSequence.Step.encrypt(.encrypt)], [.decrypt(.init()), .encrypt(.encrypt)]] {
      bench.settings.steps = StepSequence(steps)
      #expect(try refusal(of: bench).contains("payload"))
    }
  }

  // MARK: Layers

  @Test func rekeyTakesOffAllOfTheWritersLayers() throws {
    let bench = Bench(
      [.rekey(.rekey)], writer: [Bench.field("ssn", "PII", "PCI")],
      [Bench.rule("a", "PII"), Bench.rule("b", "PCI")], [Bench.rule("c", "PII")])
    let result = try bench.run(["ssn": .string(try bench.sealed(Self.secret, "a", "b"))])
    #expect(try bench.opened(try #require(result["ssn"]?.string), "c") == Self.secret)
    // One more than the rules put on.
    let deeper = try bench.sealed(Self.secret, "b", "a", "b")
    guard case .sealedDeeper = try failure(of: { _ = try bench.run(["ssn": .string(deeper)]) }) else {
      Issue.record("another failure")
      return
    }
  }

  @Test func rekeyTakesOffAllOfAPayloadsLayers() throws {
    let bench = Bench(
      [.rekey(.rekey)], writer: [Bench.field("ssn")],
      [Bench.rule("a", "payload"), Bench.rule("b", "payload")],
      [Bench.rule("c", "payload")])
    let body = try bench.body(["ssn": .string(Self.secret)])
    #expect(try bench.opened(body: bench.run(body: bench.sealed(body: body, "a", "b")), "c") == body)
    #expect(throws: RecordFailure.self) {
      try bench.run(body: bench.sealed(body: bench.sealed(body: body, "a"), "a", "b"))
    }
  }

  /// There is nothing but the target's layers to put around a payload that is another one.
  @Test func aPayloadStaysOnlyAsLongAsItsFieldsDo() throws {
    var policy = SealPolicy.rekey
    policy.onlyKeys = KeySet([.init(kek: "leaked")])
    let bench = Bench(
      [.rekey(policy)], writer: [Bench.field("ssn", "PII"), Bench.field("card", "PCI")],
      [Bench.rule("leaked", "PII"), Bench.rule("sound", "PCI"), Bench.rule("around", "payload")],
      [Bench.rule("new", "PII", "PCI"), Bench.rule("c", "payload")])
    func body(_ ssn: String) throws -> [UInt8] {
      try bench.body(["ssn": .string(ssn), "card": .string(try bench.sealed("4111", "sound"))])
    }
    let leaked = try body(bench.sealed(Self.secret, "leaked"))
    var expected = FieldCounts()
    expected.rekeyed = 2
    expected.kept = 1
    let rekeyed = try bench.document(
      bench.opened(body: bench.run(body: bench.sealed(body: leaked, "around")), "c"))
    #expect(try bench.opened(try #require(rekeyed["ssn"]?.string), "new") == Self.secret)
    #expect(bench.counts == expected)

    expected.rekeyed = 1
    expected.renewed = 1
    _ = try bench.run(body: bench.sealed(body: leaked, "c", of: Bench.target))
    #expect(bench.counts == expected)

    let sealed = try bench.sealed(body: body(bench.sealed(Self.secret, "sound")), "around")
    #expect(try bench.run(body: sealed) == sealed)
    #expect(bench.counts.kept == 3 && !bench.counts.isSealedAnew && bench.counts.opened == 0)
  }

  private func handOff(_ decrypt: StepSequence.Decrypt) -> Bench {
    Bench(
      [.decrypt(decrypt), .encrypt(.encrypt)], writer: [Bench.field("ssn", "PII", "PCI")],
      [Bench.rule("inner", "PII"), Bench.rule("outer", "PCI")], [Bench.rule("c", "PII")])
  }

  @Test func whatWasOpenedInPartIsLookedAtBeforeItIsSealed() throws {
    let bench = handOff(.init(passesPlaintext: true))
    bench.settings.declaredKeys = [
      KeyFamilyIdentity(side: .source, kek: "declared", subject: Bench.source, algorithm: .aes256GCM)
    ]
    let foreign = try bench.sealed(Self.secret, "declared", "outer")
    try expectForeign("declared") { _ = try bench.run(["ssn": .string(foreign)]) }
    let half = try bench.run(["ssn": .string(try bench.sealed(Self.secret, "outer"))])
    #expect(try bench.opened(try #require(half["ssn"]?.string), "c") == Self.secret)
    let current = try bench.sealed(Self.secret, "c", of: Bench.target)
    let around = try bench.run(["ssn": .string(try bench.sealed(current, "outer"))])
    #expect(around["ssn"] == .string(current))
  }

  @Test func aPayloadOpenedInPartIsLookedAtBeforeItIsSealed() throws {
    let bench = Bench(
      [.decrypt(.init(passesPlaintext: true)), .encrypt(.encrypt)], writer: [Bench.field("ssn")],
      [Bench.rule("inner", "payload"), Bench.rule("outer", "payload")], [Bench.rule("c", "payload")])
    bench.settings.declaredKeys = [
      KeyFamilyIdentity(side: .source, kek: "declared", subject: Bench.source, algorithm: .aes256GCM)
    ]
    let body = try bench.body(["ssn": .string(Self.secret)])
    try expectForeign("declared") { _ = try bench.run(body: bench.sealed(body: body, "declared", "outer")) }
    let whole = try bench.run(body: bench.sealed(body: body, "inner", "outer"))
    #expect(try bench.opened(body: whole, "c") == body)
    #expect(bench.counts.opened == 1 && bench.counts.resealed == 1)
    let half = try bench.run(body: bench.sealed(body: body, "outer"))
    #expect(try bench.opened(body: half, "c") == body)
    let current = try bench.sealed(body: body, "c", of: Bench.target)
    let around = try bench.run(body: bench.sealed(body: current, "outer"))
    #expect(try bench.opened(body: around, "c") == body)
  }

  @Test func aLayerOfARuleThatDoesNotRunIsLeftToTheSealingStep() throws {
    let bench = handOff(.init())
    bench.writer.ruleSet?.domainRules[0].mode = .write
    let sealed = try bench.sealed(Self.secret, "inner", "outer")
    try expectForeign("inner") { _ = try bench.run(["ssn": .string(sealed)]) }
  }

  @Test func aWantedTagOpensAllLayersOfItsField() throws {
    let bench = Bench(
      [.decrypt(.init(onlyTags: ["PII"]))],
      writer: [Bench.field("ssn", "PII", "PCI"), Bench.field("card", "PCI")],
      [Bench.rule("inner", "PII"), Bench.rule("outer", "PCI")], [])
    let card = try bench.sealed("4111", "outer")
    let result = try bench.run([
      "ssn": .string(try bench.sealed(Self.secret, "inner", "outer")), "card": .string(card),
    ])
    #expect(result["ssn"] == .string(Self.secret))
    #expect(result["card"] == .string(card))
  }

  // MARK: What comes out in the clear

  @Test func theStrictestOfAllRulesDecidesAboutARecordThatFails() throws {
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("ssn", "PII"), Bench.field("note", "PUBLIC")], [],
      [Bench.rule("a", "PII"), Bench.rule("b", "PUBLIC", onFailure: "NONE")])
    bench.settings.allowances.plaintextOnFailure = true
    bench.settings.declaredKeys = [
      KeyFamilyIdentity(side: .source, kek: "other", subject: Bench.source, algorithm: .aes256GCM)
    ]
    let record: JSONValue = ["ssn": .string(Self.secret), "note": .string(try bench.sealed("n", "other"))]
    try expectForeign("other") { _ = try bench.run(record) }
    // So does a rule for the payload.
    bench.sink.ruleSet?.domainRules = [Bench.rule("b", "PUBLIC", onFailure: "NONE")]
    bench.sink.ruleSet?.encodingRules = [Bench.rule("c", "payload")]
    try expectForeign("other") { _ = try bench.run(record) }
    bench.sink.ruleSet?.encodingRules = []
    #expect(try bench.run(record) == record)
  }

  @Test func aHandOffMustSealOrAcceptWhatItOpens() throws {
    let bench = Bench(
      [.decrypt(.init()), .encrypt(.encrypt)],
      writer: [Bench.field("ssn", "PII"), Bench.field("note", "PII")],
      [Bench.rule("a", "PII")],
      sink: [Bench.field("ssn", "PII"), Bench.field("note")], [Bench.rule("b", "PII")])
    #expect(try refusal(of: bench).contains("t.R.note"))
    bench.settings.allowances.clearFields = ["t.R.note"]
    let result = try bench.run([
      "ssn": .string(try bench.sealed(Self.secret, "a")), "note": .string(try bench.sealed("n", "a")),
    ])
    #expect(result["note"] == "n")
    #expect(try bench.opened(try #require(result["ssn"]?.string), "b") == Self.secret)
  }

  // MARK: Resolution

  @Test(arguments: [
    (#""string""#, #""bytes""#), (#"["null","string"]"#, #"["null","bytes"]"#), (#""bytes""#, #""string""#),
  ])
  func whatIsSealedMustNotChangeItsForm(_ from: String, _ to: String) throws {
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("ssn", "PII", type: from)], [],
      sink: [Bench.field("ssn", "PII", type: to)], [Bench.rule("b", "PII")])
    bench.settings.whenDifferent = .resolve
    #expect(try refusal(of: bench).contains("t.R.ssn"))
    bench.writer.ruleSet = RuleSet(domainRules: [Bench.rule("a", "PII")])
    for (decrypt, isRefused) in [
      (StepSequence.Decrypt(passesPlaintext: true), true), (.init(onlyTags: ["PCI"]), true), (.init(), false),
    ] {
      bench.settings.steps = StepSequence([.decrypt(decrypt), .encrypt(.encrypt)])
      if isRefused { #expect(try refusal(of: bench).contains("t.R.ssn")) } else { _ = try bench.plan() }
    }
    // What is sealed on neither side may.
    bench.writer = Bench([], writer: [Bench.field("n", type: from), Bench.field("ssn")], [], []).writer
    bench.sink =
      Bench(
        [], writer: [], [], sink: [Bench.field("n", type: to), Bench.field("ssn", "PII")],
        [Bench.rule("b", "PII")]
      ).sink
    bench.settings.steps = StepSequence([.encrypt(.encrypt)])
    #expect(try bench.plan().seals)
  }

  @Test func aTaggedFieldThatResolutionDropsNeedsNoAcceptance() throws {
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("old", "PII"), Bench.field("ssn", "PII")],
      [Bench.rule("a", "PII")], sink: [Bench.field("ssn", "PII")], [Bench.rule("b", "PII")])
    bench.settings.whenDifferent = .resolve
    let result = try bench.run(["old": .string(Self.secret), "ssn": .string(Self.secret)])
    #expect(try bench.opened(try #require(result["ssn"]?.string), "b") == Self.secret)
  }

  @Test func aTaggedFieldThatResolutionRenamesMustBeSealedUnderItsNewName() throws {
    let renamed = #"{"name":"social","type":"string","aliases":["old"]}"#
    let bench = Bench(
      [.encrypt(.encrypt)], writer: [Bench.field("old", "PII"), Bench.field("ssn", "PII")],
      [Bench.rule("a", "PII")], sink: [renamed, Bench.field("ssn", "PII")], [Bench.rule("b", "PII")])
    bench.settings.whenDifferent = .resolve
    #expect(try refusal(of: bench).contains("t.R.old"))
    bench.settings.allowances.clearFields = ["t.R.old"]
    #expect(try bench.plan().seals)
  }
}
