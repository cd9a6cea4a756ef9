import JSON
import Testing

@testable import Pipelines
@testable import SchemaRegistry

struct EffectiveRulesTests {
  private func ruleSet(_ text: String) throws -> RuleSet { try RuleSet(JSONValue(parsing: text)) }

  private func rules(
    _ text: String, _ direction: RuleDirection, _ properties: [String: String] = [:]
  ) throws -> EffectiveRules {
    EffectiveRules(try ruleSet(text), direction: direction, settings: RuleSettings(properties))
  }

  @Test(arguments: [
    ("WRITEREAD", true, true), ("WRITE", true, false), ("READ", false, true), ("UPGRADE", false, false),
    ("DOWNGRADE", false, false), ("UPDOWN", false, false),
  ])
  func modesChooseTheDirection(_ mode: String, _ write: Bool, _ read: Bool) throws {
    let text = #"{"domainRules":[{"name":"r","mode":"\#(mode)","type":"ENCRYPT"}]}"#
    #expect(try rules(text, .write).encrypt.isEmpty != write)
    #expect(try rules(text, .read).encrypt.isEmpty != read)
  }

  /// Specification section C.3.
  @Test(
    arguments: [
      ("", false, [:], true), ("", true, [:], false), (#""enableAt":"ALL","#, false, [:], true),
      (#""enableAt":"NONE","#, false, [:], false), (#""enableAt":"CLIENT","#, false, [:], true),
      (#""enableAt":"CLIENT","#, false, ["execution.environment": ""], false),
      (#""enableAt":"GATEWAY","#, false, [:], false), (#""enableAt":"SERVER","#, false, [:], false),
      (#""enableAt":"GATEWAY","#, false, ["execution.environment": "GATEWAY"], true),
      ("", false, ["rule.executors.r.disabled": "true"], false),
      ("", true, ["rule.executors._ENCRYPT_.disabled": "false"], true),
      (#""enableAt":"NONE","#, false, ["rule.executors._default_.disabled": "false"], true),
      ("", false, ["rule.executors._default_.disabled": "true", "rule.executors.r.disabled": "false"], true),
    ] as [(String, Bool, [String: String], Bool)])
  func ruleSetRuleAndConfigurationDecideTogether(
    _ enableAt: String, _ disabled: Bool, _ properties: [String: String], _ runs: Bool
  ) throws {
    let text = #"{\#(enableAt)"domainRules":[{"name":"r","type":"ENCRYPT","disabled":\#(disabled)}]}"#
    #expect(try rules(text, .write, properties).encrypt.isEmpty != runs)
  }

  @Test(arguments: [
    ("null", "WRITEREAD", RuleAction.error, RuleAction.error), (#""""#, "WRITEREAD", .error, .error),
    (#""NONE""#, "WRITEREAD", .none, .none), (#""ERROR,NONE""#, "WRITEREAD", .error, .none),
    (#""NONE,ERROR""#, "WRITEREAD", .none, .error), (#""ERROR, NONE""#, "WRITEREAD", .error, .other(" NONE")),
    (#""DLQ,""#, "WRITEREAD", .deadLetter, .error), (#""ERROR,NONE""#, "WRITE", .other("ERROR,NONE"), .error),
    (#""none""#, "WRITEREAD", .other("none"), .other("none")),
  ])
  func onFailureHasTwoHalves(
    _ text: String, _ mode: String, _ write: RuleAction, _ read: RuleAction
  ) throws {
    let rule = #"{"domainRules":[{"name":"r","mode":"\#(mode)","type":"ENCRYPT","onFailure":\#(text)}]}"#
    #expect(try rules(rule, .write).encrypt.first?.onFailure == write)
    if mode == "WRITEREAD" { #expect(try rules(rule, .read).encrypt.first?.onFailure == read) }
  }

  @Test func configurationOverridesOnFailure() throws {
    let text = #"{"domainRules":[{"name":"r","type":"ENCRYPT","onFailure":"NONE"}]}"#
    #expect(
      try rules(text, .write, ["rule.executors._ENCRYPT_.onFailure": "ERROR"]).encrypt.first?.onFailure
        == .error)
  }

  @Test func ofEqualTagSetsOnlyTheFirstRuns() throws {
    let text = """
      {"domainRules":[{"name":"a","type":"ENCRYPT","tags":["PII","PCI"]},{"name":"b","type":"ENCRYPT","tags":["PCI","PII"]},
      {"name":"c","type":"ENCRYPT","tags":["PII"]},{"name":"d","type":"ENCRYPT"},{"name":"e","type":"ENCRYPT"}]}
      """
    #expect(try rules(text, .write).encrypt.map(\.rule.name) == ["a", "c", "d", "e"])
  }

  @Test func otherTypesAreForeign() throws {
    let text = """
      {"domainRules":[{"name":"a","type":"CEL"},{"name":"b","type":"encrypt"},{"name":"c","type":"ENCRYPT","kind":"CONDITION"}],
      "encodingRules":[{"name":"d","type":"ENCRYPT_PAYLOAD"}],"migrationRules":[{"name":"e","type":"JSONATA","mode":"UPGRADE"}]}
      """
    let rules = try rules(text, .write)
    #expect(rules.foreign.map(\.name) == ["a", "c", "e"])
    #expect(rules.payload.map(\.rule.name) == ["d"])
    #expect(rules.encrypt.map(\.rule.name) == ["b"], "types are looked up in upper case")
  }

  @Test(arguments: [
    #"{"domainRules":[{"name":"a","type":"ENCRYPT","mode":"SOMETIMES"}]}"#, #"{"enableAt":"HOME"}"#,
    #"{"domainRules":[{"type":"ENCRYPT"}]}"#,
  ])
  func wordsItDoesNotKnowAreRefused(_ text: String) {
    #expect(throws: (any Error).self) { try ruleSet(text) }
  }

  @Test func parametersGoFromGeneralToParticular() {
    let settings = RuleSettings([
      "secret": "flat", "region": "flat", "rule.executors._default_.param.secret": "default",
      "rule.executors._ENCRYPT_.param.tenant.id": "type", "rule.executors._CEL_.param.x": "other",
    ])
    #expect(
      settings.parameters(forType: "ENCRYPT") == ["secret": "default", "region": "flat", "tenant.id": "type"])
  }
}
