internal import Foundation

/// What a driver may know of the machine it runs on: environment variables and files.
struct Host: Sendable {
  private let environment: [String: String]

  init(_ environment: [String: String]) { self.environment = environment }

  /// An environment variable; an empty one counts as absent.
  subscript(variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }

  /// A property of the key, else an environment variable; empty ones count as absent.
  func setting(_ property: String, of properties: [String: String], or variable: String) -> String? {
    properties[property].flatMap { $0.isEmpty ? nil : $0 } ?? self[variable]
  }

  /// How services are reached unless something more exact is said: `SSL_CERT_FILE` names the authorities to trust
  /// instead of the system's, as it does for OpenSSL.
  var connection: ServiceClient.Connection {
    ServiceClient.Connection(certificateAuthorityFile: self["SSL_CERT_FILE"])
  }

  /// The content of a small text file, such as a token; `nil` when there is no such file. Only regular files of at
  /// most 1 MiB: the properties of a KEK may name any path, and others have no end.
  func text(ofFile path: String) throws(ServiceFailure) -> String? {
    let path = expanded(path)
    let limit = 1 << 20
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
      throw ServiceFailure(.configuration, "\(path) is no file of at most 1 MiB")
    }
    do {
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      return String(decoding: try file.read(upToCount: limit) ?? Data(), as: UTF8.self)
    } catch {
      throw ServiceFailure(.configuration, "the file \(path) cannot be read")
    }
  }

  /// The content of a file that a setting names, without white space around it.
  func token(inFile path: String) throws(ServiceFailure) -> String {
    guard let text = try text(ofFile: path) else {
      throw ServiceFailure(.configuration, "there is no file \(path)")
    }
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !token.isEmpty else { throw ServiceFailure(.configuration, "the file \(path) is empty") }
    return token
  }

  private func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/"), let home = self["HOME"] else { return path }
    return home + path.dropFirst()
  }

  /// Seconds since 1970.
  static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

  /// A time such as `2026-11-25T15:00:00Z`.
  static func time(ofSeconds seconds: Int64) -> String {
    ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
  }

  /// Seconds since 1970 of a time such as `2026-11-25T15:00:00Z`; `nil` when it is none.
  static func seconds(ofTime text: String) -> Int64? {
    for options in [
      ISO8601DateFormatter.Options.withInternetDateTime, [.withInternetDateTime, .withFractionalSeconds],
    ] {
      let formatter = ISO8601DateFormatter()
      formatter.formatOptions = options
      if let date = formatter.date(from: text) {
        return Int64(exactly: date.timeIntervalSince1970.rounded(.down))
      }
    }
    return nil
  }
}
