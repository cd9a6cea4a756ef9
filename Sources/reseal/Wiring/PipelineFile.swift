import Configuration
import Foundation
import Pipelines

/// Reads pipeline files from disk, with environment and files filled in.
enum PipelineFile {
  /// A pipeline file is a page or two; a secret file is a line.
  private static let maximumBytes = 1 << 20

  /// The job of a file, of several that of `topic`.
  static func load(_ path: String, topic: String? = nil) throws(InvalidPipeline) -> PipelineDefinition {
    let jobs = try loadAll(path)
    let wanted = jobs.filter { topic == nil || $0.sourceTopic == topic }
    guard wanted.count == 1 else {
      let topics = jobs.map(\.sourceTopic).joined(separator: ", ")
      throw InvalidPipeline([Problem("\(path) $.source.topics", "--topic must name one of \(topics)")])
    }
    return wanted[0]
  }

  /// All jobs of a file: one for each of its topics.
  static func loadAll(_ path: String) throws(InvalidPipeline) -> [PipelineDefinition] {
    let text: String
    do { text = try read(URL(filePath: path)) } catch { throw InvalidPipeline([Problem(path, "\(error)")]) }
    do {
      return try PipelineDefinition.all(
        parsing: text, interpolation: interpolation(beside: path, reserved: PipelineDefinition.reservedNames))
    } catch {
      throw InvalidPipeline(error.problems.map { Problem("\(path) \($0.path)", $0.message) })
    }
  }

  /// Fills in the environment and files, which are named relative to the file at `path`.
  static func interpolation(beside path: String, reserved: Set<String> = []) -> Interpolation {
    Interpolation(environment: ProcessInfo.processInfo.environment, reserved: reserved) { name in
      let folder = URL(filePath: path).deletingLastPathComponent()
      var text = try read(URL(filePath: name, relativeTo: folder))
      while text.last?.isNewline == true { text.removeLast() }
      return text
    }
  }

  static func read(_ url: URL) throws -> String { try read(open(url)) }

  static func open(_ url: URL) throws -> FileHandle {
    let handle: FileHandle
    do { handle = try FileHandle(forReadingFrom: url) } catch CocoaError.fileReadNoSuchFile {
      throw Unreadable(reason: "does not exist")
    } catch { throw Unreadable(reason: "cannot be read") }
    return handle
  }

  static func read(_ file: FileHandle) throws -> String {
    let contents: Data?
    // A directory can be opened, but not read.
    do { contents = try file.read(upToCount: maximumBytes + 1) } catch {
      throw Unreadable(reason: "cannot be read as a file")
    }
    guard let data = contents else { return "" }
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
