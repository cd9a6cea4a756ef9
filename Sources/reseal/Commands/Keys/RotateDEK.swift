import ArgumentParser
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry

struct RotateDEK: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Make a new version of a DEK now.",
    discussion: """
      Writers whose rule has encrypt.dek.expiry.days take the newest version when they next look, and write its \
      number into what they seal; readers find the old versions by the numbers in old data. Nothing is re-encrypted: \
      a rekey pipeline does that.

      A rule without encrypt.dek.expiry.days means version 1 for ever, at every client: a new version would never \
      be used, so none is made. What helps there:
        - name a new KEK in the rule (encrypt.kek.name), which begins with a new DEK, or
        - add encrypt.dek.expiry.days to the rule; data sealed before stays readable only after a rekey, because \
      readers will look for a version number in it.
      """)

  @OptionGroup var dek: DEKArguments

  @Flag(help: "Make the version although no rule of the subject's latest schema would use it.")
  var force = false

  @OptionGroup var options: KeyOptions

  func run() async throws {
    let access = try options.access()
    let subject = Subject(dek.subject)
    try await options.reporting {
      let kek = try await access.store.kek(dek.kek)
      let outlook = RotationOutlook(
        try await access.latestSchema(of: subject), kek: kek.name, algorithm: dek.algorithm)
      if !force { try check(outlook) }
      let made = try await access.store.rotate(kek: kek.name, subject: subject, algorithm: dek.algorithm)
      options.print(made.json) { Console.output.line("made \(made)") }
    }
  }

  private func check(_ outlook: RotationOutlook) throws {
    switch outlook {
    case .rotates: return
    case .staysAtVersionOne(let rules):
      throw KeyError(
        .misconfigured, "\(dek.kek)/\(dek.subject)/\(dek.algorithm.rawValue)",
        """
        the rule \(rules.joined(separator: ", ")) of the latest schema has no encrypt.dek.expiry.days, so every \
        client keeps using version 1, whatever is made. Name a new KEK in the rule (encrypt.kek.name), or add \
        encrypt.dek.expiry.days; then re-key what is sealed. See `reseal help keys rotate`.
        """)
    case .unused:
      throw KeyError(
        .misconfigured, "\(dek.kek)/\(dek.subject)/\(dek.algorithm.rawValue)",
        "no rule of the subject's latest schema uses this DEK; --force makes the version all the same")
    }
  }
}
