import Foundation
import TestSupport

/// Certificates made with the `openssl` tool for one run of the tests.
///
/// `ca` signed `server` (for `localhost`), `elsewhere` (for another host) and `client`; `stranger` is an
/// authority that signed none of them.
struct Certificates: Sendable {
  static let keyPassword = "correct horse"

  let directory: URL

  func certificate(_ name: String) -> String { directory.appending(path: "\(name).pem").path }
  func key(_ name: String) -> String { directory.appending(path: "\(name).key").path }
  /// The client's key under ``keyPassword``.
  var lockedKey: String { key("client-locked") }

  /// Made once, by whoever asks first.
  static var shared: Certificates { get async throws { try await making.value } }

  private static let making = Task { try await make() }

  private static func make() async throws -> Certificates {
    let directory = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    for authority in ["ca", "stranger"] {
      try await openssl(
        request(authority) + ["-x509", "-addext", "keyUsage=critical,keyCertSign"], in: directory)
    }
    for (name, host) in [("server", "localhost"), ("elsewhere", "elsewhere.test"), ("client", "reseal.test")]
    {
      try await openssl(
        request(name) + [
          "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:\(host)",
        ]
          + ["-addext", "basicConstraints=critical,CA:FALSE"],
        in: directory)
    }
    try await openssl(
      ["ec", "-in", "client.key", "-aes256", "-passout", "pass:\(keyPassword)", "-out", "client-locked.key"],
      in: directory)
    return Certificates(directory: directory)
  }

  private static func request(_ name: String) -> [String] {
    ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
      + ["-subj", "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).pem"]
  }

  private static func openssl(_ arguments: [String], in directory: URL) async throws {
    try await Command.run(["openssl"] + arguments, in: directory)
  }
}
