import ArgumentParser
import KeyManagement

struct CreateKEK: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create-kek", abstract: "Register a KEK: a name for a key in a key management service.",
    discussion: """
      The key must exist; nothing is made in the key management service. Service and key of a KEK cannot be changed \
      afterwards. `reseal keys test` tells whether it works.
      """)

  @Argument(help: "Name of the KEK: letters, digits, _ and -, beginning with a letter or _.")
  var name: String

  @Option(help: "Service: aws-kms, azure-kms, gcp-kms, hcvault or local-kms.")
  var kmsType: String

  @Option(
    help: ArgumentHelp(
      "Key: an AWS ARN, an Azure key URL, a Google resource name, a Vault URL (https://host/mount/keys/name), or any text for local-kms.",
      valueName: "id"))
  var kmsKeyId: String

  @Option(
    name: .customLong("alternate"),
    help: ArgumentHelp(
      "Another key of the service that wraps and unwraps when the first does not. Repeatable.",
      valueName: "id"))
  var alternates: [String] = []

  @Option(
    name: .customLong("kms-property"),
    help: ArgumentHelp(
      "A property of the KEK itself, stored in the registry for everybody who may read the KEK. Repeatable.",
      valueName: "name=value"), transform: KeyOptions.Property.init(parsing:))
  var kmsProperties: [KeyOptions.Property] = []

  @Option(help: "What it is for.")
  var doc: String?

  @Flag(help: "Let the registry itself wrap and unwrap, so that clients need no access to the service.")
  var shared = false

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    var properties = Dictionary(kmsProperties.map { ($0.name, $0.value) }) { _, last in last }
    if !alternates.isEmpty { properties[KEK.alternatesProperty] = alternates.joined(separator: ",") }
    try await options.reporting {
      let kek = try await access.store.registry.createKEK(
        name, kmsType: kmsType, kmsKeyID: kmsKeyId, kmsProperties: properties, documentation: doc,
        isShared: shared)
      options.print(kek.json) {
        Console.output.line("created \(kek.name) for \(kek.kmsType)://\(kek.kmsKeyID)")
      }
    }
  }
}
