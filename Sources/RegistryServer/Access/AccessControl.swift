package import Configuration
internal import FieldCrypto
package import JSON

/// Who may call the registry, and what each may do: for trying out which rights a pipeline needs, not for
/// guarding secrets.
package struct AccessControl: Sendable {
  enum Credential: Sendable {
    case password(String)
    case token(String)
  }

  private let credentials: [(principal: String, credential: Credential)]
  private let bindings: [RoleBinding]

  /// Reads a document of ``shape``, or says everything that is wrong with it.
  package init(_ document: JSONValue) throws(InvalidAccessControl) {
    var problems = Self.shape.problems(with: document, at: "$")
    guard problems.isEmpty else { throw InvalidAccessControl(problems: problems) }
    var credentials: [(principal: String, credential: Credential)] = []
    for (index, value) in (document["principals"]?.array ?? []).enumerated() {
      let name = value["name"]?.string ?? ""
      switch (value["password"]?.string, value["token"]?.string) {
      case (let password?, nil): credentials.append((name, .password(password)))
      case (nil, let token?): credentials.append((name, .token(token)))
      default:
        problems.append(Problem("$.principals[\(index)]", "must have a password or a token, not both"))
      }
    }
    let principals = Set(credentials.map(\.principal))
    var bindings: [RoleBinding] = []
    for (index, value) in (document["bindings"]?.array ?? []).enumerated() {
      let principal = value["principal"]?.string ?? ""
      if !principals.contains(principal) {
        problems.append(Problem("$.bindings[\(index)].principal", "is none of the principals"))
      }
      guard let role = value["role"]?.string.flatMap(Role.init(rawValue:)),
        let resource = value["resource"]?.string.flatMap(Resource.init)
      else { continue }
      bindings.append(
        RoleBinding(
          principal: principal, role: role, resource: resource,
          isPrefix: value["prefix"]?.lenientBoolean ?? false))
    }
    guard problems.isEmpty else { throw InvalidAccessControl(problems: problems) }
    self.credentials = credentials
    self.bindings = bindings
  }

  /// What the sender of an `Authorization` header may do. Throws 401 when nobody is known by it.
  func permissions(authorization: String?) throws(APIError) -> Permissions {
    guard let principal = authorization.flatMap(principal) else { throw .unauthorized }
    return Permissions(bindings: bindings.filter { $0.principal == principal })
  }

  private func principal(authorization: String) -> String? {
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    let presented = String(parts[1])
    switch parts[0].lowercased() {
    case "bearer":
      return credentials.first { _, credential in
        if case .token(let token) = credential { return Self.areEqual(token, presented) }
        return false
      }?.principal
    case "basic":
      guard let decoded = Base64.decode(presented).flatMap({ String(validating: $0, as: UTF8.self) }) else {
        return nil
      }
      let sides = decoded.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else { return nil }
      return credentials.first { principal, credential in
        if case .password(let password) = credential {
          return principal == sides[0] && Self.areEqual(password, String(sides[1]))
        }
        return false
      }?.principal
    default: return nil
    }
  }

  /// In a time that does not depend on where they differ.
  private static func areEqual(_ one: String, _ other: String) -> Bool {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    return one.count == other.count && zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// Everything wrong with a description of access control.
package struct InvalidAccessControl: Error, CustomStringConvertible {
  package let problems: [Problem]

  package init(problems: [Problem]) { self.problems = problems }

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}

// MARK: - Description

extension AccessControl {
  package static let shape = Shape.object([
    Member("principals", .list(of: .object(principal), atLeast: 1), required: true, "Who may call."),
    Member("bindings", .list(of: .object(binding), atLeast: 0), required: true, "What they may do."),
  ])

  private static let principal: [Member] = [
    Member("name", .name, required: true, "The user of basic authentication; also what bindings name."),
    Member("password", .name, "For basic authentication."),
    Member("token", .name, "For bearer authentication, in place of a password."),
  ]

  private static let binding: [Member] = [
    Member("principal", .name, required: true, "The name of one of the principals."),
    Member(
      "role",
      .choice([
        .init(Role.resourceOwner.rawValue, "Create, read, update and delete."),
        .init(Role.developerRead.rawValue, "Read."),
        .init(Role.developerWrite.rawValue, "Create, read and update."),
      ]), required: true, "What the principal may do with the resource."),
    Member(
      "resource",
      .text(pattern: "^(Kek|Subject):", examples: ["Kek:pii", "Subject:customers-value"]) {
        Resource($0) == nil ? "must be Kek:NAME or Subject:NAME" : nil
      }, required: true, "The KEK with its DEKs, or the subject with its schemas and DEKs."),
    Member(
      "prefix", .boolean, default: false,
      "Whether the name is only how names begin; the empty name then stands for all, global settings included."
    ),
  ]
}

extension Resource {
  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return nil }
    switch parts[0] {
    case "Kek": self = .kek(parts[1])
    case "Subject": self = .subject(parts[1])
    default: return nil
    }
  }
}
