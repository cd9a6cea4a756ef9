import Testing

@testable import RegistryServer

struct TargetTests {
  @Test(
    arguments: [
      ("/", []),
      ("/subjects", ["subjects"]),
      ("/subjects/", ["subjects"]),
      ("/a%2Fb/c", ["a/b", "c"]),
      ("/a+b%2Bc%20d", ["a+b+c d"]),
      ("/%3A.ctx%3As/:.ctx:s", [":.ctx:s", ":.ctx:s"]),
      ("/%C3%A9/é", ["é", "é"]),
      ("/100%25", ["100%"]),
      ("/..", [".."]),
    ] as [(String, [String])])
  func splitsBeforeItDecodes(path: String, segments: [String]) throws {
    #expect(try Target(path: path, query: "").segments == segments)
  }

  @Test(arguments: [
    "", "subjects", "//", "//subjects", "/a//b", "/a//", "/%", "/%2", "/%zz", "/%+1", "/%FF", "/%C3",
    "/a%00b",
    "/a%7Fb", "/%0A",
  ])
  func refusesWhatIsNoPath(_ path: String) {
    #expect(throws: Target.Malformed.self) { try Target(path: path, query: "") }
  }

  @Test func aQueryIsAForm() throws {
    let query = try Target(path: "/", query: "a=1+2%2B3&b&=c&a==&&d=%26").query
    #expect(query.map(\.name) == ["a", "b", "", "a", "d"])
    #expect(query.map(\.value) == ["1 2+3", "", "c", "=", "&"])
    #expect(throws: Target.Malformed.self) { try Target(path: "/", query: "a=%") }
  }
}
