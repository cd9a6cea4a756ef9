/// What a binding lets its principal do, with the names of Confluent's predefined roles.
enum Role: String, CaseIterable, Sendable {
  case resourceOwner = "ResourceOwner"
  case developerRead = "DeveloperRead"
  case developerWrite = "DeveloperWrite"

  enum Operation: String, CaseIterable, Sendable {
    case create, read, update, delete
  }

  func allows(_ operation: Operation) -> Bool {
    switch self {
    case .resourceOwner: true
    case .developerRead: operation == .read
    case .developerWrite: operation != .delete
    }
  }
}

/// What is protected: a KEK, with the DEKs under it, or a subject, with its schemas and its part in DEKs.
enum Resource: Hashable, Sendable {
  case kek(String)
  /// As the registry prints it. Empty for what belongs to no subject, such as global settings.
  case subject(String)

  var kind: String {
    switch self {
    case .kek: "Kek"
    case .subject: "Subject"
    }
  }

  var name: String {
    switch self {
    case .kek(let name), .subject(let name): name
    }
  }

  /// The word of the genuine server's refusals.
  func verb(for operation: Role.Operation) -> String {
    switch (self, operation) {
    case (_, .read): "Read"
    case (_, .delete): "Delete"
    case (.kek, .create): "Register"
    default: "Write"
    }
  }
}

/// A role for a principal on one resource, or on all whose names begin alike.
struct RoleBinding: Sendable {
  let principal: String
  let role: Role
  let resource: Resource
  let isPrefix: Bool

  func allows(_ operation: Role.Operation, on wanted: Resource) -> Bool {
    guard role.allows(operation), wanted.kind == resource.kind else { return false }
    return isPrefix ? wanted.name.hasPrefix(resource.name) : wanted.name == resource.name
  }
}

/// What one caller may do.
struct Permissions: Sendable {
  private let bindings: [RoleBinding]?

  /// For a registry without access control.
  static let everything = Permissions(bindings: nil)

  /// `nil` allows everything.
  init(bindings: [RoleBinding]?) { self.bindings = bindings }

  func allow(_ operation: Role.Operation, on resource: Resource) -> Bool {
    bindings?.contains { $0.allows(operation, on: resource) } ?? true
  }

  /// Throws 40301.
  func check(_ operation: Role.Operation, on resource: Resource) throws(APIError) {
    guard !allow(operation, on: resource) else { return }
    throw .denied(operation, on: resource)
  }
}

extension APIError {
  static let unauthorized = APIError(401, "Unauthorized")

  static func denied(_ operation: Role.Operation, on resource: Resource) -> APIError {
    APIError(
      40301,
      "User is denied operation \(resource.verb(for: operation)) on \(resource.kind): \(resource.name)")
  }
}
