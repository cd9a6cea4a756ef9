/// Which version of a subject or of a key is meant.
enum VersionNumber: Hashable, Sendable {
  case number(Int)
  /// `latest` in any letter case, or -1.
  case latest

  init(_ text: String) throws(APIError) {
    if text.lowercased() == "latest" || text == "-1" {
      self = .latest
    } else if let number = Int32(text), number > 0 {
      self = .number(Int(number))
    } else {
      throw .invalidVersion(text)
    }
  }

  /// `nil` when the path of the call has no version.
  init?(inPathOf call: Call) throws(APIError) {
    guard let text = call.parameters["version"] else { return nil }
    try self.init(text)
  }

  /// How messages print it.
  var text: String {
    switch self {
    case .number(let number): String(number)
    case .latest: "-1"
    }
  }
}
