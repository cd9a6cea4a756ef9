import TestSupport
import Testing

@testable import Codecs

/// One case of `vectors/wildcard.json`.
struct WildcardVector: Decodable, CustomTestStringConvertible {
  let pattern: String
  let text: String
  let match: Bool

  var testDescription: String { "\(pattern) ~ \(text)" }

  static let all: [WildcardVector] = Fixtures.cases(in: "vectors/wildcard.json")
}

struct TagPatternTests {
  @Test func theVectorFileIsRead() { #expect(WildcardVector.all.count == 288) }

  @Test(arguments: WildcardVector.all)
  func matchesAsTheClientsDo(_ vector: WildcardVector) throws {
    #expect(try TagPattern(vector.pattern).matches(vector.text) == vector.match)
  }

  @Test(arguments: [
    // The JVM client, too, hands what follows a backslash to the expression unescaped.
    (#"$.items\[1\].sku"#, "$.items[1].sku", false), ("$.items?1?.sku", "$.items[1].sku", true),
    ("$.items*.sku", "$.items[12].sku", true), ("$.items*.sku", "$.items.sku", true),
    ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[^a-c]x", "^x", true), ("[^a-c]x", "dx", false),
    ("[]]", "]", true),
    ("a\\", "a\\", true), ("**", "a\nb", false), ("?", "\n", true), ("**.ssn", "ssn", false),
  ])
  func followsTheTranslationToTheLetter(_ pattern: String, _ text: String, _ match: Bool) throws {
    #expect(try TagPattern(pattern).matches(text) == match)
  }

  @Test(arguments: ["[", "[a", "[[]", "[b-a]", #"a\+bc"#, #"a\(bc"#, "a[^", "[a&&b]"])
  func refusesWhatItCannotHonour(_ pattern: String) {
    #expect(throws: TagPatternError.self) { try TagPattern(pattern) }
  }

  @Test func manyStarsTakeNoLongerThanTheyShould() throws {
    let pattern = try TagPattern(String(repeating: "*a", count: 200))
    #expect(!pattern.matches(String(repeating: "a", count: 2_000) + "b"))
  }
}
