import Foundation
import JSON
import TestSupport

/// A recorded conversation with the genuine server: requests in order and what it answered.
struct Transcript: Sendable, CustomStringConvertible {
  let name: String
  let server: JSONValue
  let steps: [Step]

  var description: String { name }

  struct Step: Sendable {
    let members: JSONValue

    var name: String { members["name"]?.string ?? "" }
    var status: Int { members["status"]?.integer ?? 0 }

    /// Pointers to values that only have to have the same type.
    var any: [String] { members["match"]?["any"]?.array?.compactMap(\.string) ?? [] }
    /// From a pointer to a place in an earlier answer of this run, as `step/pointer`.
    var same: [(pointer: String, place: String)] {
      members["match"]?["same"]?.object?.map { ($0.name, String(($0.value.string ?? "").dropFirst())) } ?? []
    }
  }

  static let directory = "registry-transcripts"

  static let all: [Transcript] = {
    do {
      let folder = Fixtures.directory.appending(path: directory).path()
      return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map(Transcript.init(file:))
    } catch {
      print("transcripts: \(error)")
      return []
    }
  }()

  private init(file: String) throws {
    let document = try JSONValue(parsing: Array(Fixtures.data("\(Self.directory)/\(file)")))
    name = document["name"]?.string ?? ""
    server = document["server"] ?? [:]
    steps = document["steps"]?.array?.map(Step.init) ?? []
  }
}

// MARK: - JSON pointers

extension JSONValue {
  /// What a pointer such as `/0/ts` leads to.
  subscript(pointer pointer: String) -> JSONValue? {
    var value: JSONValue? = self
    for part in pointer.split(separator: "/") {
      value = value.flatMap { $0[String(part)] ?? $0.element(part) }
    }
    return value
  }

  private func element(_ part: Substring) -> JSONValue? {
    guard let array, let index = Int(part), array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// The same document with what a pointer leads to replaced.
  func replacing(_ pointer: Substring, by value: JSONValue) -> JSONValue {
    let parts = pointer.split(separator: "/", maxSplits: 1)
    guard let part = parts.first else { return value }
    let rest = parts.count == 2 ? parts[1] : ""
    switch self {
    case .object(var members):
      let name = String(part)
      members[name] = members[name]?.replacing(rest, by: value)
      return .object(members)
    case .array(var elements):
      guard let index = Int(part), elements.indices.contains(index) else { return self }
      elements[index] = elements[index].replacing(rest, by: value)
      return .array(elements)
    default: return self
    }
  }
}
