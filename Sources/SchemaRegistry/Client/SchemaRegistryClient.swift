package import Codecs
internal import HTTPClient
internal import JSON

/// The Schema Registry calls a job makes (specification section B.2). Stateless; ``SchemaCache`` remembers.
package struct SchemaRegistryClient: Sendable {
  private let transport: RegistryTransport

  package init(_ transport: RegistryTransport) { self.transport = transport }

  /// The schema a record names. `subject` tells contexts apart; the same id means different schemas there.
  package func schema(_ reference: SchemaReference, subject: Subject) async throws(RegistryError)
    -> RegisteredSchema
  {
    switch reference {
    case .id(let id):
      var schema = try await schema(
        ["schemas", "ids", String(id)], query: [("subject", subject.name), ("fetchMaxId", "false")])
      schema.id = id
      return schema
    case .guid(let guid):
      var schema = try await schema(["schemas", "guids", guid.description])
      schema.guid = guid
      return schema
    }
  }

  /// The latest version of a subject that is not deleted.
  package func latest(_ subject: Subject) async throws(RegistryError) -> RegisteredSchema {
    try await schema(["subjects", subject.name, "versions", "latest"])
  }

  /// The latest version of a subject whose metadata properties contain all of `properties`.
  package func latest(
    _ subject: Subject, with properties: [String: String]
  ) async throws(RegistryError) -> RegisteredSchema {
    let query = properties.sorted { $0.key < $1.key }.flatMap { [("key", $0.key), ("value", $0.value)] }
    return try await schema(["subjects", subject.name, "metadata"], query: query)
  }

  /// The numbers of a subject's versions, ascending; deleted ones are left out.
  package func versions(of subject: Subject) async throws(RegistryError) -> [Int] {
    let answer = try await transport.json(.get, ["subjects", subject.name, "versions"])
    guard let versions = answer.array?.compactMap(\.integer) else {
      throw RegistryError(
        .malformedAnswer, request: "GET /subjects/\(subject)/versions", message: "is no list of numbers")
    }
    return versions
  }

  package func version(_ version: Int, of subject: Subject) async throws(RegistryError) -> RegisteredSchema {
    // References of registered schemas stay readable after their version was soft-deleted.
    try await schema(["subjects", subject.name, "versions", String(version)], query: [("deleted", "true")])
  }

  /// Registers a schema and returns it as the registry now holds it. `normalize` is not asked for.
  @discardableResult
  package func register(
    _ schema: RegisteredSchema, under subject: Subject
  ) async throws(RegistryError) -> RegisteredSchema {
    let path = ["subjects", subject.name, "versions"]
    let answer = try await transport.json(.post, path, body: schema.registration)
    var registered = schema
    registered.subject = subject.name
    registered.id = answer["id"]?.integer.flatMap { Int32(exactly: $0) }
    registered.version = answer["version"]?.integer
    registered.guid = answer["guid"]?.string.flatMap { GUID($0) }
    guard registered.id != nil else {
      throw RegistryError(
        .malformedAnswer, request: "POST /subjects/\(subject)/versions", message: "no id in the answer")
    }
    // A registry without rule support drops them without a word (specification section B.4).
    if let ruleSet = schema.ruleSet, !(ruleSet == RuleSet()), answer["ruleSet"] == nil {
      throw RegistryError(
        .unexpected, request: "POST /subjects/\(subject)/versions",
        message: "the registry took the schema but dropped its rules: it does not support data contracts")
    }
    return registered
  }

  /// The schemas a schema refers to, each after those it refers to itself, without repetition.
  ///
  /// References inherit the context of the schema's subject.
  package func references(of schema: RegisteredSchema, subject: Subject) async throws(RegistryError)
    -> [ReferencedSchema]
  {
    var found: [ReferencedSchema] = []
    var seen: Set<RegisteredSchema.Reference> = []
    try await collect(schema, subject, into: &found, &seen, depth: 0)
    return found
  }

  private static let maximumReferenceDepth = 64
  private static let maximumReferences = 1_000

  private func collect(
    _ schema: RegisteredSchema, _ subject: Subject, into found: inout [ReferencedSchema],
    _ seen: inout Set<RegisteredSchema.Reference>, depth: Int
  ) async throws(RegistryError) {
    for reference in schema.references {
      guard seen.insert(reference).inserted else { continue }
      guard depth < Self.maximumReferenceDepth else {
        throw RegistryError(
          .malformedAnswer, request: "references of \(subject)",
          message: "more than \(Self.maximumReferenceDepth) references inside each other")
      }
      guard seen.count <= Self.maximumReferences else {
        throw RegistryError(
          .malformedAnswer, request: "references of \(subject)",
          message: "more than \(Self.maximumReferences) references")
      }
      let qualified = Subject(qualify(reference.subject, like: subject))
      let referred = try await version(reference.version, of: qualified)
      try await collect(referred, qualified, into: &found, &seen, depth: depth + 1)
      found.append(ReferencedSchema(name: reference.name, text: referred.text))
    }
  }

  private func qualify(_ name: String, like subject: Subject) -> String {
    guard let context = subject.context, Subject(name).context == nil, !name.hasPrefix(":.:") else {
      return name
    }
    return ":\(context):\(name)"
  }

  private func schema(
    _ path: [String], query: [(String, String)] = []
  ) async throws(RegistryError) -> RegisteredSchema {
    let answer = try await transport.json(.get, path, query: query)
    do {
      return try RegisteredSchema(answer)
    } catch {
      throw RegistryError(
        .malformedAnswer, request: "GET /\(path.joined(separator: "/"))",
        message: "cannot be understood: \(error.text)")
    }
  }
}
