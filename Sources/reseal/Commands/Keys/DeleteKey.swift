import ArgumentParser
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry

/// What `delete` and `undelete` work on: a KEK, all versions of a DEK, or one version.
struct KeyArguments: ParsableArguments {
  @Argument(help: "Name of the KEK.")
  var kek: String

  @Argument(help: "Subject of a DEK; without it the KEK itself is meant.")
  var subject: String?

  @Option(help: "One version of the DEK; without it all are meant.")
  var version: Int32?

  @Option(help: "Algorithm of the DEK.")
  var algorithm = DEKAlgorithm.aes256GCM

  func validate() throws {
    guard version == nil || subject != nil else { throw ValidationError("--version needs a subject") }
    // The registry answers "latest" with success and changes nothing.
    guard version ?? 1 > 0 else { throw ValidationError("--version must be the number of a version") }
  }

  var description: String {
    guard let subject else { return "the KEK \(kek)" }
    let versions = version.map { "version \($0)" } ?? "all versions"
    return "\(versions) of the DEK \(kek)/\(subject)/\(algorithm.rawValue)"
  }

  func json(_ what: String) -> JSONValue {
    var members: JSONObject = ["done": .string(what), "kek": .string(kek)]
    if let subject {
      members["subject"] = .string(subject)
      members["algorithm"] = .string(algorithm.rawValue)
      members["version"] = version.map { JSONValue(Int($0)) }
    }
    return .object(members)
  }
}

struct DeleteKey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a KEK or a DEK, softly or for good.",
    discussion: """
      Softly deleted keys can be undeleted. Writers no longer find them; readers that look deleted keys up, as \
      Confluent's do, still read what was sealed. A KEK can be deleted once its DEKs are.

      With --permanent, what was softly deleted before goes for good: whatever is sealed under it can never be read \
      again, not even with the key in the key management service.
      """)

  @OptionGroup var key: KeyArguments

  @Flag(help: "For good.")
  var permanent = false

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    try options.confirm(
      permanent
        ? "delete \(key.description) for good, and with it every way to read what is sealed under it"
        : "delete \(key.description)", isGiven: yes)
    try await options.reporting {
      let registry = access.store.registry
      if let subject = key.subject {
        try await registry.deleteDEK(
          kek: key.kek, subject: Subject(subject), algorithm: key.algorithm, version: key.version,
          permanently: permanent)
      } else {
        try await registry.deleteKEK(key.kek, permanently: permanent)
      }
      let what = permanent ? "deleted for good" : "deleted"
      options.print(key.json(what)) { Console.output.line("\(what): \(key.description)") }
    }
  }
}

struct UndeleteKey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undelete", abstract: "Bring a softly deleted KEK or DEK back; the KEK first.")

  @OptionGroup var key: KeyArguments

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    try options.confirm("undelete \(key.description)", isGiven: yes)
    try await options.reporting {
      let registry = access.store.registry
      if let subject = key.subject {
        try await registry.undeleteDEK(
          kek: key.kek, subject: Subject(subject), algorithm: key.algorithm, version: key.version)
      } else {
        try await registry.undeleteKEK(key.kek)
      }
      options.print(key.json("undeleted")) { Console.output.line("undeleted: \(key.description)") }
    }
  }
}
