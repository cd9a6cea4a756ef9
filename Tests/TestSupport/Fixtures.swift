package import Foundation
package import JSON

/// Files under `Tests/Fixtures`, read from the checkout the tests were built from.
package enum Fixtures {
  package static let directory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

  package static func data(_ path: String) throws -> Data {
    try Data(contentsOf: directory.appending(path: path))
  }

  /// Decodes a JSON fixture.
  package static func decode<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
    try JSONDecoder().decode(type, from: data(path))
  }

  /// The cases of a vector file, for a parameterised test. None when the file cannot be read, so each suite
  /// also checks how many there are.
  package static func cases<Case: Decodable>(in path: String) -> [Case] {
    do {
      return try decode(VectorFile<Case>.self, from: path).cases
    } catch {
      print("fixture \(path): \(error)")
      return []
    }
  }

  /// What is made of the cases of a vector file; as ``cases(in:)``, none when that fails.
  package static func cases<Case>(in path: String, _ make: (JSONValue) throws -> [Case]) -> [Case] {
    do {
      let document = try JSONValue(parsing: Array(data(path)))
      return try (document["cases"]?.array ?? []).flatMap(make)
    } catch {
      print("fixture \(path): \(error)")
      return []
    }
  }

  private struct VectorFile<Case: Decodable>: Decodable {
    let cases: [Case]
  }
}
