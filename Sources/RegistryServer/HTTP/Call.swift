internal import JSON

/// A request that has found its endpoint: what a handler reads its arguments from.
struct Call: Sendable {
  let parameters: [String: String]
  let query: [(name: String, value: String)]
  /// The context named in front of the path.
  let context: String?
  let body: [UInt8]
  /// Milliseconds since 1970.
  let time: Int
  /// What the caller may do.
  let permissions: Permissions

  /// A parameter in the path; the pattern of the endpoint has it.
  func path(_ name: String) -> String { parameters[name] ?? "" }

  /// The first value of a query parameter.
  func text(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// All values of a query parameter.
  func texts(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

  /// `true` in any letter case is true, anything else false.
  func flag(_ name: String) -> Bool { text(name)?.lowercased() == "true" }

  func integer(_ name: String) throws(APIError) -> Int? {
    guard let text = text(name), !text.isEmpty else { return nil }
    return try Self.integer(text)
  }

  /// A number in the path.
  func pathInteger(_ name: String) throws(APIError) -> Int { try Self.integer(path(name)) }

  private static func integer(_ text: String) throws(APIError) -> Int {
    guard let number = Int32(text) else { throw .notFound }
    return Int(number)
  }
}

// MARK: - Subjects

extension Call {
  /// The subject in the path.
  var subject: Subject { subject(path("subject")) }

  /// The subject in the query, or the context itself when there is none.
  var querySubject: Subject { subject(text("subject") ?? "") }

  /// What settings are asked for: a subject, or all of a context.
  var scope: Subject { parameters["subject"] == nil ? subject("") : subject }

  /// A subject by its name, which is one of the context named in front of the path unless it says otherwise.
  func subject(_ name: String) -> Subject {
    let subject = Subject(name)
    guard let context, !name.hasPrefix(":.") else { return subject }
    return Subject(context: context, name: subject.name)
  }
}

// MARK: - Pages

extension Call {
  /// The part of a list that `offset` and `limit` ask for. A limit of 0 or less is none.
  func page<Element>(_ elements: [Element]) throws(APIError) -> ArraySlice<Element> {
    let offset = try integer("offset") ?? 0
    let limit = try integer("limit") ?? -1
    guard offset >= 0 else { throw .unprocessable("offset must not be negative (was \(offset))") }
    let rest = elements.dropFirst(offset)
    return limit > 0 ? rest.prefix(limit) : rest
  }
}

// MARK: - Body

extension Call {
  /// The members of the body. `argument` is what the genuine server calls a body that is missing.
  func fields(_ argument: String) throws(APIError) -> Fields {
    guard !body.isEmpty else { throw .noBody(argument) }
    let document: JSONValue
    do {
      document = try JSONValue(parsing: body)
    } catch {
      throw .badBody(error.description)
    }
    guard !document.isNull else { throw .noBody(argument) }
    guard let members = document.object else {
      throw .badBody("Cannot read the body: expected an object, found \(document.kindName)")
    }
    return Fields(members)
  }
}
