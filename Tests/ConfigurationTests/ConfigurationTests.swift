import Configuration
import JSON
import Testing

private let shape = Shape.object([
  Member("name", .name, required: true, "The name."),
  Member("count", .integer(1...10), default: 3, "How many."),
  Member("flag", .boolean, "Yes or no."),
  Member("mode", .choice([.init("fast", "Hurry."), .init("safe", "Take care.")]), "How."),
  Member("from", .either([.choice([.init("start", "All.")]), .integer(0...Int.max)]), "Where."),
  Member(
    "steps",
    .list(of: .oneMember([Member("a", .object([]), "A."), Member("b", .object([]), "B.")]), atLeast: 1),
    "What."),
  Member(
    "kafka",
    .properties(
      PropertiesShape(known: [.init("group.id", "Group.")], prefixes: [.init("request.header.", "Header.")])),
    "Client."),
  Member("open", .properties(PropertiesShape(known: [], isOpen: true)), "Anything."),
])

struct ShapeTests {
  @Test(arguments: [
    #"{"name":"x"}"#,
    #"{"name":"x","count":10,"flag":false,"mode":"safe","from":"start","steps":[{"a":{}},{"b":{}}]}"#,
    #"{"name":"x","count":"7","flag":"true","from":12,"kafka":{"group.id":1,"request.header.X-Y":"z"},"open":{"q":true}}"#,
  ])
  func accepts(_ text: String) throws {
    #expect(try shape.problems(with: JSONValue(parsing: text), at: "$") == [])
  }

  @Test func reportsEverythingAtOnceInDocumentOrder() throws {
    let document = try JSONValue(
      parsing: #"""
        {"nmae":"x","count":11,"flag":"maybe","mode":"slow","from":-1,"steps":[{},{"a":{},"b":{}},{"c":{}},3],
         "kafka":{"group.di":"g","zzz":"1","request.header.":"x","group.id":{}},"open":[]}
        """#)
    #expect(
      shape.problems(with: document, at: "$").map(\.description) == [
        "$.nmae: unknown key; did you mean \"name\"?",
        "$.count: must be from 1 to 10",
        "$.flag: must be true or false, not a string",
        "$.mode: must be one of fast, safe",
        "$.from: must be at least 0",
        "$.steps[0]: must have exactly one of a, b",
        "$.steps[1]: must have exactly one of a, b",
        "$.steps[2].c: unknown key; did you mean \"a\"?",
        "$.steps[3]: must be an object, not a number",
        "$.kafka[\"group.di\"]: unknown property; did you mean \"group.id\"?",
        "$.kafka.zzz: unknown property",
        "$.kafka[\"request.header.\"]: unknown property",
        "$.kafka[\"group.id\"]: must be text, a number or a boolean, not an object",
        "$.open: must be an object, not an array",
        "$: \"name\" is missing",
      ])
  }

  @Test func theSchemaSaysTheSame() throws {
    let schema = shape.jsonSchema
    #expect(schema["required"] == ["name"])
    #expect(schema["additionalProperties"] == false)
    #expect(schema["properties"]?["count"]?["default"] == 3)
    #expect(schema["properties"]?["steps"]?["items"]?["maxProperties"] == 1)
    #expect(
      schema["properties"]?["kafka"]?["patternProperties"]?["^request\\.header\\.."]?["description"]
        == "Header.")
  }
}

struct InterpolationTests {
  struct Missing: Error, CustomStringConvertible { let description = "no such file" }

  private let interpolation = Interpolation(
    environment: ["A": "1", "EMPTY": "", "_x9": "y"], reserved: ["topic"]
  ) { path throws in
    guard path == "/run/secret" else { throw Missing() }
    return "s3cret"
  }

  @Test(arguments: [
    ("plain", "plain"), ("${A}", "1"), ("a${A}b${_x9}c", "a1byc"), ("${NONE:-d}", "d"), ("${NONE:-}", ""),
    ("${EMPTY:-d}", "d"), ("${EMPTY}", ""), ("${NONE:-a:-b}", "a:-b"), ("${file:/run/secret}!", "s3cret!"),
    ("$${A}", "${A}"), ("$A $", "$A $"), ("${topic}-sealed", "${topic}-sealed"), ("$$", "$$"),
  ])
  func fills(_ text: String, _ expected: String) {
    let (value, problems) = interpolation.filled(["k": [.string(text)]])
    #expect(problems == [])
    #expect(value == ["k": [.string(expected)]])
  }

  @Test(arguments: [
    ("${NONE}", "the environment variable NONE is not set"), ("${A", "\"${\" without \"}\""),
    ("${}", "is neither"), ("${1A}", "is neither"), ("${a-b}", "is neither"),
    ("${file:/x}", "file:/x: no such file"),
  ])
  func reports(_ text: String, _ message: String) throws {
    let problems = interpolation.filled(["k.x": [0, .string(text)]]).problems
    #expect(problems.map(\.path) == ["$[\"k.x\"][1]"])
    #expect(try #require(problems.first).message.contains(message))
  }

  @Test(
    arguments: [
      ("${LOCAL_SECRET:hunter2}", "\"${LOCAL_SECRET…}\""),
      ("${LOCAL_SECRET-hunter2}", "\"${LOCAL_SECRET…}\""),
      ("${SECRET:?hunter2}", "\"${SECRET…}\""), ("${hunter2!}", "what \"${\" begins"),
      ("${!:hunter2}", "what \"${\" begins"), ("${hunter2 and more}", "what \"${\" begins"),
    ])
  func noMoreThanANameIsQuoted(_ text: String, _ beginning: String) throws {
    let problem = try #require(interpolation.filled(["k": .string(text)]).problems.first)
    #expect(problem.message.hasPrefix("\(beginning) is neither") && !problem.description.contains("hunter2"))
  }
}
