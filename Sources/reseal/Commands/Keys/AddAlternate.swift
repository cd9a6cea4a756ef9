import ArgumentParser
import JSON
import KeyManagement

struct AddAlternate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-alternate",
    abstract: "Give a KEK another key that unwraps where its own does not.",
    discussion: """
      Adds to the KEK's encrypt.alternate.kms.key.ids. Clients try the KEK's own key first, then the alternates in \
      their order, to wrap and to unwrap.

      Clients that run remember KEKs, most of them for as long as they run. Before DEKs are wrapped under the new key \
      (`reseal keys rewrap --kms-key-id`), restart those that may meet DEKs they have not fetched yet.
      """)

  @Argument(help: "Name of the KEK.")
  var kek: String

  @Argument(help: ArgumentHelp("The key, of the KEK's own service.", valueName: "kms-key-id"))
  var keyID: String

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    try await options.reporting {
      let kek = try await access.store.addAlternate(keyID, to: kek)
      options.print(kek.json) {
        Console.output.line("\(kek.name) has the alternates \(kek.alternateKeyIDs.joined(separator: ", "))")
      }
    }
  }
}
