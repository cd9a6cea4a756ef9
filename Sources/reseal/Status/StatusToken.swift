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
  private static func read(_ file: String) throws(Unusable) -> AccessToken {
    let text: String
    do { text = try PipelineFile.read(URL(filePath: file)) } catch {
      throw Unusable(description: "the status token file \(file) \(error)")
    }
    return try token(text.trimmingCharacters(in: .whitespacesAndNewlines), from: file)
  }

  /// As ``read(_:)``; a file that is not there is made, for its owner only, with a token nobody knows yet.
  private static func readOrMake(_ file: String) throws(Unusable) -> AccessToken {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      guard errno == EEXIST else {
        throw Unusable(
          description: "the status token file \(file) cannot be made: \(String(cString: strerror(errno)))")
      }
      return try read(file)
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
