import ArgumentParser
import FieldCrypto
import JSON
import Kafka
import KeyManagement
import Pipelines
import SchemaRegistry

struct ShowKey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a KEK and the DEKs under it.",
    discussion: """
      Of the KEK's properties only the names are shown, because values may be credentials. Where wrapped bytes tell \
      which version of the key wrapped them (Vault, and Azure where clients save it), the column "wrapped by" does.

      With --pipeline, also how many fields its job has sealed under each AES-GCM DEK, as far as the job's state and \
      sink.priorUse say; one such key may seal fewer than 2^32. What other clients seal is known to nobody.
      """)

  @Argument(help: "Name of the KEK.")
  var kek: String

  @Flag(help: "Show soft-deleted DEKs too.")
  var deleted = false

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    try await options.reporting {
      let kek = try await access.store.kek(kek, includingDeleted: true)
      let deks = try await access.store.deks(under: kek.name, includingDeleted: deleted || kek.isDeleted)
      let use = await access.priorUse(of: options.side)
      options.print(["kek": kek.json, "deks": .array(deks.map { $0.json(use) })]) { show(kek, deks, use) }
    }
  }

  private func show(_ kek: KEK, _ deks: [DEK], _ use: PriorUse?) {
    let out = Console.output
    out.line(out.styled(kek.name, .bold) + (kek.isDeleted ? "  deleted" : ""))
    out.line("  key         \(kek.kmsType)://\(kek.kmsKeyID)")
    for alternate in kek.alternateKeyIDs { out.line("  alternate   \(kek.kmsType)://\(alternate)") }
    let others = kek.kmsProperties.keys.filter { $0 != KEK.alternatesProperty }.sorted()
    if !others.isEmpty { out.line("  properties  \(others.joined(separator: ", "))") }
    out.line("  shared      \(kek.isShared ? "yes: the registry itself unwraps" : "no")")
    if let documentation = kek.documentation { out.line("  doc         \(documentation)") }
    out.line()
    guard !deks.isEmpty else { return out.line("  no DEKs") }
    var table = Table("subject", "algorithm", "version", "changed", "wrapped by", "sealed", "")
    for dek in deks {
      table.add(
        dek.identity.subject.name, dek.identity.algorithm.rawValue, String(dek.identity.version),
        dek.timestamp.dateText, dek.wrappingVersion ?? "",
        dek.sealed(use)?.fieldsUnderKey ?? "", dek.isDeleted ? "deleted" : "")
    }
    table.print(on: out)
  }
}

extension KeyAccess {
  /// What is known of the use of the pipeline's keys; `nil` without a pipeline, for keys that nothing is sealed under,
  /// and, with a word on standard error, where the job's state cannot be read.
  fileprivate func priorUse(of side: KeyOptions.Side) async -> PriorUse? {
    guard let definition, side == .sink || definition.source.sharesKeys(with: definition.sink)
    else { return nil }
    do {
      let history = try await StateTopic(ofJob: definition.name, definition.sink.kafka)
        .readIfThere(.jobs, ClusterAdmin(definition.sink.kafka))
      return PriorUse(declared: definition.declaredUse, noted: history?.sealed() ?? [:])
    } catch {
      Console.error.line(
        "\(Console.error.styled("warning", .yellow)) how much is sealed is not known: \(error)")
      return nil
    }
  }
}

extension DEK {
  /// Fields known to be sealed under it; `nil` where nothing is known, or there is no limit.
  fileprivate func sealed(_ use: PriorUse?) -> UInt64? {
    identity.algorithm.isDeterministic ? nil : use?.fields(under: identity)
  }

  fileprivate func json(_ use: PriorUse?) -> JSONValue {
    var members = identity.json.object ?? [:]
    members["sealed"] = sealed(use).map { JSONValue(Int(clamping: $0)) }
    members["ts"] = JSONValue(Int(timestamp))
    members["wrappedBy"] = wrappingVersion.map(JSONValue.string)
    if isDeleted { members["deleted"] = true }
    return .object(members)
  }
}
