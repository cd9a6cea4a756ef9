import FieldCrypto
import Foundation
import Glibc
import StatusPort

/// Where the status token comes from. It is never printed.
enum StatusToken {
  static let variable = "RESEAL_STATUS_TOKEN"

  struct Unusable: Error, CustomStringConvertible {
    let description: String
  }

  /// The token in a file where one is named, else that of the environment; `nil` where there is none.
  ///
  /// - Parameter makes: whether a file that is not there is made.
  static func token(file: String?, makes: Bool) throws(Unusable) -> AccessToken? {
    if let file { return makes ? try readOrMake(file) : try read(file) }
    guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return nil }
    return try token(text, from: variable)
  }

  /// The token in a file; white space at its end is no part of it.
  ///
  /// - Parameter isTrusted: whether a file is refused that others have made, may change, or may read.
  private static func read(_ file: String, trusted isTrusted: Bool = false) throws(Unusable) -> AccessToken {
    let text: String
    do {
      let handle = try PipelineFile.open(URL(filePath: file))
      if isTrusted { try refuseOthers(handle) }
      text = try PipelineFile.read(handle)
    } catch {
      throw Unusable(description: "the status token file \(file) \(error)")
    }
    return try token(text.trimmingCharacters(in: .whitespacesAndNewlines), from: file)
  }

  /// Asks what lies behind the descriptor, which nobody can exchange any more. The rule is that of libpq for private
  /// keys (PostgreSQL, "Secure TCP/IP Connections with SSL"): the file is for its owner alone, who is this user or
  /// root, and of root's a group may read, which is how secrets are mounted into containers.
  private static func refuseOthers(_ file: FileHandle) throws(Unusable) {
    var status = stat()
    guard fstat(file.fileDescriptor, &status) == 0 else {
      throw Unusable(description: "cannot be examined: \(String(cString: strerror(errno)))")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw Unusable(description: "belongs to another user, who knows what is in it")
    }
    guard status.st_mode & (status.st_uid == 0 ? 0o037 : 0o077) == 0 else {
      throw Unusable(description: "must be for its owner alone (mode 600, or 640 where that is root)")
    }
  }

  /// The token in a file that says who may steer this process; a file that is not there is made, for its owner only,
  /// with a token nobody knows yet.
  private static func readOrMake(_ file: String) throws(Unusable) -> AccessToken {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno == EEXIST else {
        throw Unusable(
          description: "the status token file \(file) cannot be made: \(String(cString: strerror(errno)))")
      }
      return try read(file, trusted: true)
    }
    let text = Hex.encode((0..<32).map { _ in UInt8.random(in: .min ... .max) })
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data((text + "\n").utf8))
      try handle.close()
    } catch {
      throw Unusable(description: "the status token file \(file) cannot be written: \(error)")
    }
    return try token(text, from: file)
  }

  private static func token(_ text: String, from place: String) throws(Unusable) -> AccessToken {
    guard let token = AccessToken(text) else {
      throw Unusable(
        description:
          "\(place): a status token has \(AccessToken.minimumCount) to \(AccessToken.maximumCount) "
          + "letters, digits and -._~+/=")
    }
    return token
  }
}
