internal import Foundation
internal import Glibc

/// The registry's state as one JSON file that is replaced whole. One server at a time may use it.
struct StateFile: Sendable {
  private static let format = "reseal-registry"
  private static let version = 1

  let path: String

  private struct Document: Codable {
    let format: String
    let version: Int
    let state: RegistryState
  }

  /// `nil` when there is no file yet. A file that cannot be understood is refused: starting empty would look
  /// as if every schema and key had been deleted.
  func load() throws(RegistryServerError) -> RegistryState? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let document = try JSONDecoder().decode(Document.self, from: Data(contentsOf: URL(filePath: path)))
      guard document.format == Self.format, document.version == Self.version else {
        throw RegistryServerError.stateFile(
          path, "it says \(document.format) \(document.version), expected \(Self.format) \(Self.version)")
      }
      try document.state.schemas.validate()
      return document.state
    } catch let error as RegistryServerError {
      throw error
    } catch {
      throw .stateFile(path, "it is damaged: \(error)")
    }
  }

  /// Writes beside the file and renames: whoever reads sees the old state or the new one. Only the owner may
  /// read it, because the settings of a KEK may hold credentials.
  func save(_ state: RegistryState) throws(RegistryServerError) {
    let temporary = "\(path).new"
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let document = Document(format: Self.format, version: Self.version, state: state)
      try write(Array(encoder.encode(document)), to: temporary)
    } catch let error as RegistryServerError {
      throw error
    } catch {
      throw .stateFile(path, "it cannot be written: \(error)")
    }
    guard rename(temporary, path) == 0 else { throw failure("replaced") }
  }

  private func write(_ bytes: [UInt8], to path: String) throws(RegistryServerError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("created") }
    defer { close(descriptor) }
    // A file left behind by somebody else keeps its mode when it is opened.
    guard fchmod(descriptor, 0o600) == 0 else { throw failure("protected") }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("written") }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw failure("flushed") }
  }

  private func failure(_ what: String) -> RegistryServerError {
    .stateFile(path, "it cannot be \(what): \(String(cString: strerror(errno)))")
  }
}
