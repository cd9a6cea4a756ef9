import JSON
import TestSupport
import Testing

@testable import Codecs

/// Random schemas and documents that the Python client's own walk was run over, with the leaves it handed to a
/// rule for `PII`.
struct JSONWalkTests {
  private struct Case {
    let schema: String
    let documents: [(text: String, sealed: [String])]
  }

  private static func cases() throws -> [Case] {
    let file = try JSONValue(parsing: Array(Fixtures.data("json/walk.json")))
    return (file["cases"]?.array ?? []).map { entry in
      Case(
        schema: entry["schema"]?.serialized() ?? "",
        documents: (entry["documents"]?.array ?? []).map { document in
          (document["document"]?.serialized() ?? "", document["sealed"]?.array?.compactMap(\.string) ?? [])
        })
    }
  }

  @Test func hitsTheLeavesThatTheClientHits() throws {
    var count = (documents: 0, leaves: 0)
    for entry in try Self.cases() {
      let plan = try jsonPlan(entry.schema, reach: false)
      for (text, sealed) in entry.documents {
        let transform = MappingTransform { _ in nil }
        _ = try rewrite(Array(text.utf8), with: plan, transform)
        let hits = transform.seen.map { String(decoding: $0.value, as: UTF8.self) }
        #expect(hits.sorted() == sealed.sorted(), "\(entry.schema) \(text)")
        count.documents += 1
        count.leaves += sealed.count
      }
    }
    #expect(count.documents > 600 && count.leaves > 300)
  }
}
