import ArgumentParser
import Configuration
import Foundation
import JSON
import KeyManagement
import Pipelines
import SchemaRegistry

/// Which registry and which services a `keys` command works on.
struct KeyOptions: ParsableArguments {
  enum Side: String, CaseIterable, ExpressibleByArgument, Sendable {
    case source
    case sink
  }

  @Option(
    help: "Pipeline file to take registry and credentials from.", completion: .file(extensions: ["json"]))
  var pipeline: String?

  @Option(help: "Of a pipeline file with several topics, the one whose job is meant.")
  var topic: String?

  @Option(help: "Which side of the pipeline.")
  var side = Side.sink

  @Option(help: "Addresses of the registry, comma separated (default: SCHEMA_REGISTRY_URL).")
  var registry: String?

  @Option(
    name: [.customLong("property"), .customShort("P")],
    help: ArgumentHelp(
      "A property of the registry's client or of the key management service, by its Confluent name. Repeatable.",
      discussion: """
        ${NAME}, ${NAME:-default} and ${file:path} in the value are filled in, so that secrets need not appear in \
        the list of processes: -P 'basic.auth.user.info=${file:/run/secrets/registry}'.
        """, valueName: "name=value"), transform: Property.init(parsing:))
  var properties: [Property] = []

  @Flag(help: "Print one line of JSON.")
  var json = false

  @OptionGroup var log: LogOptions

  struct Property: Sendable {
    let name: String
    let value: String

    init(parsing text: String) throws {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("must be NAME=VALUE") }
      name = String(parts[0])
      value = String(parts[1])
    }
  }

  func validate() throws {
    if pipeline != nil, registry != nil {
      throw ValidationError("--pipeline and --registry both say where the registry is")
    }
    if pipeline == nil, topic != nil {
      throw ValidationError("--topic is for --pipeline, which is missing")
    }
  }
}

/// The registry and the services, reached.
struct KeyAccess: Sendable {
  let store: KeyStore
  let schemas: SchemaRegistryClient
  let keyRing: KeyRing
  /// The rules' configuration of the side.
  let rules: RuleSettings
  /// Where all of it came from, when it was a pipeline, and which side of it.
  let definition: PipelineDefinition?
  let side: PipelineDefinition.Side?

  /// `nil` for a subject without a schema.
  func latestSchema(of subject: Subject) async throws(RegistryError) -> RegisteredSchema? {
    do throws(RegistryError) {
      return try await schemas.latest(subject)
    } catch  where error.reason == .notFound {
      return nil
    }
  }
}

extension KeyOptions {
  /// Throws ``ExitCode/refused`` after saying what is wrong with the settings.
  func access(parallelism: Int = 16) throws -> KeyAccess {
    let definition = try pipeline.map(load)
    let side = definition.map { self.side == .source ? $0.source : $0.sink }
    let given = RuleSettings(try given(isRegistry: false))
    var properties = side?.rules.parameters(forType: "ENCRYPT") ?? [:]
    properties.merge(given.parameters(forType: "ENCRYPT")) { _, new in new }
    do {
      let transport = try RegistryTransport(registrySettings(side))
      let log = log.makeLogger()
      let registry = DEKRegistryClient(transport)
      return KeyAccess(
        store: KeyStore(
          registry: registry, drivers: Drivers.all, properties: properties, log: log, parallelism: parallelism
        ),
        schemas: SchemaRegistryClient(transport),
        keyRing: try KeyRing(registry: registry, drivers: Drivers.all, properties: properties, log: log),
        rules: side?.rules ?? given, definition: definition, side: side)
    } catch let error as InvalidSettings {
      throw ExitCode.refused.because(error.problems.map { "\($0)" })
    } catch let error as RegistryError {
      throw ExitCode.refused.because(["\(error)"])
    } catch let error as KeyError {
      throw ExitCode.refused.because(["\(error)"])
    }
  }

  private func load(_ path: String) throws -> PipelineDefinition {
    do throws(InvalidPipeline) { return try PipelineFile.load(path, topic: topic) } catch {
      throw ExitCode.refused.because(error.problems.map { "\($0)" })
    }
  }

  private func registrySettings(_ side: PipelineDefinition.Side?) throws -> RegistrySettings {
    let given = try given(isRegistry: true)
    if let side, given.isEmpty { return side.registry }
    guard side == nil else {
      throw ExitCode.refused.because([
        "with --pipeline, properties of the registry belong into the pipeline file"
      ])
    }
    let environment = ProcessInfo.processInfo.environment
    // As in a shell, an empty variable is as good as none.
    var properties: [String: String] = [:]
    properties["url"] = environment["SCHEMA_REGISTRY_URL"]
    properties["basic.auth.user.info"] = environment["SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO"]
    properties.merge(given) { _, new in new }
    if let registry { properties["url"] = registry }
    guard [properties["url"], properties["schema.registry.url"]].contains(where: { $0?.isEmpty == false })
    else {
      throw ExitCode.refused.because([
        "where is the registry? Give --registry URL, --pipeline FILE or SCHEMA_REGISTRY_URL"
      ])
    }
    return try RegistrySettings(properties, at: "properties")
  }

  /// Properties that the registry's client knows are the registry's, all others are for the rules. Filled in as the
  /// texts of a pipeline file are; files are relative to the current directory.
  private func given(isRegistry: Bool) throws -> [String: String] {
    let shape = RegistrySettings.shape
    var given = JSONObject()
    for property in properties {
      let isKnown =
        shape.known.contains { $0.name == property.name }
        || shape.prefixes.contains { property.name.hasPrefix($0.name) }
      if isKnown == isRegistry { given[property.name] = .string(property.value) }
    }
    let (filled, problems) = PipelineFile.interpolation(beside: "properties").filled(.object(given))
    guard problems.isEmpty else { throw ExitCode.refused.because(problems.map { "--property \($0)" }) }
    return (filled.object ?? [:]).reduce(into: [:]) { $0[$1.name] = $1.value.string }
  }
}
