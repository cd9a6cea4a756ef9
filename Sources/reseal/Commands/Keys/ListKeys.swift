import ArgumentParser
import JSON
import KeyManagement

struct ListKeys: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the KEKs, with where their keys are.")

  @Option(help: "Only KEKs with a DEK of a subject that begins so. Repeatable.")
  var subjectPrefix: [String] = []

  @Flag(help: "Show soft-deleted ones too.")
  var deleted = false

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    try await options.reporting {
      let names = try await access.store.registry.kekNames(
        subjectPrefixes: subjectPrefix, includingDeleted: deleted)
      let keks = try await access.store.keks(names)
      options.print(.array(keks.map(\.json))) { show(keks) }
    }
  }

  private func show(_ keks: [KEK]) {
    guard !keks.isEmpty else { return Console.error.line("no KEKs") }
    var table = Table("KEK", "service", "key", "shared", "changed", "")
    for kek in keks {
      table.add(
        kek.name, kek.kmsType, kek.kmsKeyID, kek.isShared ? "yes" : "", kek.timestamp.dateText,
        kek.isDeleted ? "deleted" : "")
    }
    table.print(on: Console.output)
  }
}
