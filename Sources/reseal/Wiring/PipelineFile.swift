import Configuration
import Foundation
import Pipelines

/// Reads pipeline files from disk, with environment and files filled in.
enum PipelineFile {
  /// A pipeline file is a page or two; a secret file is a line.
  private static let maximumBytes = 1 << 20

  static func load(_ path: String) throws(InvalidPipeline) -> PipelineDefinition {
    let url = URL(filePath: path)
    let interpolation = Interpolation(
      environment: ProcessInfo.processInfo.environment, reserved: PipelineDefinition.reservedNames
    ) { name in
      var text = try read(URL(filePath: name, relativeTo: url.deletingLastPathComponent()))
      while text.last?.isNewline == true { text.removeLast() }
      return text
    }
    let text: String
    do { text = try read(url) } catch { throw InvalidPipeline([Problem(path, "\(error)")]) }
    do {
      return try PipelineDefinition(parsing: text, interpolation: interpolation)
    } catch {
      throw InvalidPipeline(error.problems.map { Problem("\(path) \($0.path)", $0.message) })
    }
  }

  private static func read(_ url: URL) throws -> String {
    let file: FileHandle
    do { file = try FileHandle(forReadingFrom: url) } catch { throw Unreadable(reason: "cannot be read") }
    defer { try? file.close() }
    guard let data = try file.read(upToCount: maximumBytes + 1) else { return "" }
    guard data.count <= maximumBytes else { throw Unreadable(reason: "is larger than \(maximumBytes) bytes") }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Unreadable(reason: "is not UTF-8 text")
    }
    return text
  }

  private struct Unreadable: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
  }
}
