/// One path of the API and what its methods do.
struct Endpoint: Sendable {
  enum Handler: Sendable {
    /// Decides on the state alone. Runs in one piece: nothing happens in between.
    case state(@Sendable (inout RegistryState, Call) throws(APIError) -> Answer)
    /// Also talks to a key management service, between looks at the state.
    case service(@Sendable (Registry, Call) async throws(APIError) -> Answer)
  }

  private enum Segment: Sendable {
    case literal(String)
    case parameter(String)
  }

  /// With its parameters as `{name}`.
  let path: String
  private let pattern: [Segment]
  let handlers: [Request.Method: Handler]

  /// `path` as in `/subjects/{subject}/versions`.
  init(_ path: String, _ handlers: [Request.Method: Handler]) {
    self.path = path
    pattern = path.split(separator: "/").map {
      $0.hasPrefix("{") ? .parameter(String($0.dropFirst().dropLast())) : .literal(String($0))
    }
    self.handlers = handlers
  }

  /// The parameters in `segments`; `nil` when this is another path.
  func match(_ segments: some Collection<String>) -> [String: String]? {
    guard segments.count == pattern.count else { return nil }
    var parameters: [String: String] = [:]
    for (expected, segment) in zip(pattern, segments) {
      switch expected {
      case .literal(let text): guard text == segment else { return nil }
      case .parameter(let name): parameters[name] = segment
      }
    }
    return parameters
  }

  /// For `Allow`, in the genuine server's order, which is the order of `Method`'s cases.
  var allowed: [String] {
    Request.Method.allCases.filter { method in
      switch method {
      case .options: true
      case .head: handlers[.get] != nil
      default: handlers[method] != nil
      }
    }.map(\.rawValue)
  }
}
