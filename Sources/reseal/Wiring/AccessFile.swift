import Configuration
import Foundation
import JSON
import RegistryServer

/// Reads descriptions of access control from disk, with environment and files filled in.
enum AccessFile {
  static func load(_ path: String) throws(InvalidAccessControl) -> AccessControl {
    let document: JSONValue
    do {
      document = try JSONValue(parsing: PipelineFile.read(URL(filePath: path)))
    } catch {
      throw InvalidAccessControl(problems: [Problem(path, "\(error)")])
    }
    let (filled, missing) = PipelineFile.interpolation(beside: path).filled(document)
    var problems = missing
    do {
      let accessControl = try AccessControl(filled)
      if problems.isEmpty { return accessControl }
    } catch {
      problems += error.problems.filter { problem in !missing.contains { $0.path == problem.path } }
    }
    throw InvalidAccessControl(problems: problems.map { Problem("\(path) \($0.path)", $0.message) })
  }
}
