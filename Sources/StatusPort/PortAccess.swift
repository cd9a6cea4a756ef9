/// Who may ask what of the port.
///
/// | asked for | from this machine alone | from anywhere |
/// |---|---|---|
/// | health | anybody | anybody |
/// | reading | anybody, under a name of this machine | the token |
/// | control | the token | the token |
package struct PortAccess: Sendable {
  package enum Need: Sendable {
    /// Whether the process is alive and ready, and nothing else.
    case health
    case reading
    case control
  }

  private let token: AccessToken?
  private let isLoopback: Bool

  /// Throws when the port would be open to everybody.
  package init(_ address: PortAddress, token: AccessToken?) throws(OpenToEverybody) {
    guard address.isLoopback || token != nil else { throw OpenToEverybody() }
    self.token = token
    isLoopback = address.isLoopback
  }

  package struct OpenToEverybody: Error {}

  /// The refusal; `nil` when it may be answered.
  package func refusal(_ need: Need, of request: PortRequest) -> PortAnswer? {
    if let authorization = request.authorization {
      // A wrong token is never as good as none: somebody should hear of it.
      return token?.isCarried(by: authorization) == true ? nil : Self.unauthorized
    }
    if isLoopback, request.host.map(PortAddress.isLoopbackName) == false {
      return .refusal(403, "the Host header names another machine")
    }
    switch need {
    case .health: return nil
    case .reading: return isLoopback ? nil : Self.unauthorized
    case .control:
      guard token != nil else {
        return .refusal(403, "nobody may change anything: the job was started without a status token")
      }
      return Self.unauthorized
    }
  }

  private static let unauthorized: PortAnswer = {
    var answer = PortAnswer.refusal(401, "the status token is missing or wrong")
    answer.headers = [("WWW-Authenticate", "Bearer realm=\"reseal\"")]
    return answer
  }()
}
