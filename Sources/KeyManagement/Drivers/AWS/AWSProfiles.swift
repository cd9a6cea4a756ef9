/// The profiles in AWS's two files, `credentials` and `config`, which share names.
///
/// `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` say where they are; usually in `~/.aws`.
struct AWSProfiles {
  private var profiles: [String: [String: String]] = [:]

  init(host: Host) throws(ServiceFailure) {
    let config = try host.text(ofFile: host["AWS_CONFIG_FILE"] ?? "~/.aws/config") ?? ""
    let credentials =
      try host.text(ofFile: host["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials") ?? ""
    read(config, prefix: "profile ")
    // Of a setting in both files, the one beside the keys counts.
    read(credentials, prefix: "")
  }

  subscript(name: String) -> [String: String]? { profiles[name] }

  /// - Parameter prefix: before every name but `default`.
  private mutating func read(_ text: String, prefix: String) {
    var section: String?
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("[") {
        let name = Self.trimmed(line.dropFirst().prefix { $0 != "]" })
        section =
          name == "default" ? name : name.hasPrefix(prefix) ? Self.trimmed(name.dropFirst(prefix.count)) : nil
        if let section { profiles[section, default: [:]] = profiles[section] ?? [:] }
        continue
      }
      // Indented lines belong to a nested setting, which no credential is.
      guard let section, let first = line.first, !first.isWhitespace, first != "#", first != ";",
        let equals = line.firstIndex(of: "=")
      else { continue }
      var value = Self.trimmed(line[line.index(after: equals)...])
      for comment in [" #", " ;"] {
        if let start = value.firstRange(of: comment) { value = Self.trimmed(value[..<start.lowerBound]) }
      }
      profiles[section, default: [:]][Self.trimmed(line[..<equals]).lowercased()] = value
    }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
