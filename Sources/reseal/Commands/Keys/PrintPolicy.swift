import ArgumentParser
import JSON
import KeyManagement
import Pipelines
import SchemaRegistry

struct PrintPolicy: AsyncParsableCommand {
  enum User: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// A pipeline, as far as its steps go.
    case pipeline
    /// The registry of a shared KEK, which makes and unwraps its DEKs.
    case registry
  }

  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Print the least a key management service must allow, in the service's own syntax.",
    discussion: """
      For AWS an IAM policy, for Azure a deployment template with a role and its assignment, for Google an IAM \
      binding, for Vault a policy in HCL, on standard output; how to put it into force, on standard error.

      Without names of KEKs, --pipeline FILE tells them: those of the rules its steps run, with what the steps do, and \
      that of its dead letters. \
      Sealing needs wrap (to make DEKs) and unwrap, opening needs unwrap only. A pipeline whose KEKs are all shared \
      needs nothing; their registry does (--for registry).
      """)

  @Argument(help: "Names of KEKs.")
  var keks: [String] = []

  @Option(name: .customLong("for"), help: "Who uses the keys: pipeline or registry.")
  var user = User.pipeline

  @Flag(help: "Only what opening needs.")
  var unwrapOnly = false

  @Option(
    help: ArgumentHelp(
      "Who is allowed, in the service's own spelling: a role's name, an object id, serviceAccount:…, a policy's name.",
      valueName: "name"))
  var principal: String?

  @OptionGroup var options: KeyOptions

  func validate() throws {
    guard !keks.isEmpty || options.pipeline != nil else {
      throw ValidationError("name a KEK, or give --pipeline FILE")
    }
  }

  func run() async throws {
    let access = try options.access()
    try await options.reporting {
      var uses = Dictionary(
        keks.map { ($0, unwrapOnly ? [.unwrap] : Set(AccessPolicy.Operation.allCases)) }
      ) { _, last in last }
      if keks.isEmpty, let definition = access.definition {
        uses = try await access.uses(of: definition, side: options.side)
      }
      if user == .registry { uses = uses.mapValues { _ in Set(AccessPolicy.Operation.allCases) } }
      var policies: [(kek: KEK, policy: AccessPolicy)] = []
      for (name, operations) in uses.sorted(by: { $0.key < $1.key }) {
        let kek = try await access.store.kek(name)
        if user == .pipeline, kek.isShared {
          Console.error.line("\(name) is shared: clients need nothing, its registry does (--for registry)")
          continue
        }
        policies.append(
          (
            kek,
            try AccessPolicy(
              kmsType: kek.kmsType, keyIDs: [kek.kmsKeyID] + kek.alternateKeyIDs, operations: operations,
              principal: principal)
          ))
      }
      options.print(.array(policies.map(json))) {
        for (kek, policy) in policies {
          Console.error.line("\(kek.name), \(kek.kmsType):")
          Console.output.line(policy.text.text)
          Console.error.line(policy.hint)
        }
      }
    }
  }

  private func json(_ entry: (kek: KEK, policy: AccessPolicy)) -> JSONValue {
    let text: JSONValue =
      switch entry.policy.text {
      case .json(let value): value
      case .hcl(let text): .string(text)
      }
    return [
      "kek": .string(entry.kek.name), "kmsType": .string(entry.kek.kmsType), "policy": text,
      "hint": .string(entry.policy.hint),
    ]
  }
}

extension KeyAccess {
  /// Which KEKs the rules of a pipeline's subjects name, and what its steps do with them; those of one side where
  /// the sides have registries of their own.
  fileprivate func uses(
    of definition: PipelineDefinition, side: KeyOptions.Side
  ) async throws -> [String: Set<AccessPolicy.Operation>] {
    var uses: [String: Set<AccessPolicy.Operation>] = [:]
    let sharesKeys = definition.source.sharesKeys(with: definition.sink)
    if side == .source || sharesKeys {
      for key in definition.declaredKeys { uses[key.kek, default: []].insert(.unwrap) }
      // Sealing unwraps too: what is sealed already is found out by opening it.
      for name in try await keks(of: definition.source, definition) {
        uses[name, default: []].insert(.unwrap)
      }
      // Letters are sealed, and opened to be shown and replayed.
      if let letters = definition.deadLetters {
        uses[letters.specification.kekName, default: []].formUnion(AccessPolicy.Operation.allCases)
      }
    }
    if definition.steps.seals, side == .sink || sharesKeys {
      for name in try await keks(of: definition.sink, definition) {
        uses[name, default: []].formUnion(AccessPolicy.Operation.allCases)
      }
    }
    return uses
  }

  private func keks(
    of side: PipelineDefinition.Side, _ definition: PipelineDefinition
  ) async throws -> [String] {
    var names: [String] = []
    for subject in try subjects(of: side, definition) {
      // A subject without a schema has no rules.
      if let schema = try await latestSchema(of: subject) { names += schema.kekNames }
    }
    return names
  }

  private func subjects(
    of side: PipelineDefinition.Side, _ definition: PipelineDefinition
  ) throws(UnknownPolicy) -> [Subject] {
    let namings = definition.processesKeys ? [side.keys, side.values] : [side.values]
    return try namings.map { (naming) throws(UnknownPolicy) in
      guard let subject = naming.only else {
        throw UnknownPolicy(
          reason: "the subjects of \(naming.topic) depend on its records; name the KEKs on the command line")
      }
      return subject
    }
  }
}

extension RegisteredSchema {
  /// The KEKs that its rules name.
  fileprivate var kekNames: [String] {
    ((ruleSet?.domainRules ?? []) + (ruleSet?.encodingRules ?? [])).compactMap {
      $0.parameters["encrypt.kek.name"] ?? metadata?.properties["encrypt.kek.name"]
    }
  }
}
