import ArgumentParser
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry

struct CreateDEK: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create-dek", abstract: "Make version 1 of a DEK, so that clients need not.",
    discussion: "Clients that may only read DEKs can seal then. A DEK that is there already is left alone.")

  @OptionGroup var dek: DEKArguments

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    try await options.reporting {
      let kek = try await access.store.kek(dek.kek)
      let made = try await access.store.createDEK(
        kek: kek.name, subject: Subject(dek.subject), algorithm: dek.algorithm)
      var members = made.identity.json.object ?? [:]
      members["created"] = .bool(made.isNew)
      options.print(.object(members)) {
        Console.output.line("\(made.isNew ? "created" : "is there already:") \(made.identity)")
      }
    }
  }
}
