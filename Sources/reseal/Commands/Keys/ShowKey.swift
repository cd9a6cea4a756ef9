import ArgumentParser
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry

struct ShowKey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a KEK and the DEKs under it.",
    discussion: """
      Of the KEK's properties only the names are shown, because values may be credentials. Where wrapped bytes tell \
      which version of the key wrapped them (Vault, and Azure where clients save it), the column "wrapped by" does.
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
      options.print(["kek": kek.json, "deks": .array(deks.map(\.json))]) { show(kek, deks) }
    }
  }

  private func show(_ kek: KEK, _ deks: [DEK]) {
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
    var table = Table("subject", "algorithm", "version", "changed", "wrapped by", "")
    for dek in deks {
      table.add(
        dek.identity.subject.name, dek.identity.algorithm.rawValue, String(dek.identity.version),
        dek.timestamp.dateText, dek.wrappingVersion ?? "", dek.isDeleted ? "deleted" : "")
    }
    table.print(on: out)
  }
}

extension DEK {
  fileprivate var json: JSONValue {
    var members = identity.json.object ?? [:]
    members["ts"] = JSONValue(Int(timestamp))
    members["wrappedBy"] = wrappingVersion.map(JSONValue.string)
    if isDeleted { members["deleted"] = true }
    return .object(members)
  }
}
