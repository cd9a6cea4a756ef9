/// Finds what a request asks for and turns every outcome into an answer (specification section B.1).
struct Router: Sendable {
  let endpoints: [Endpoint]
  let registry: Registry
  /// `nil` lets everybody do everything.
  let accessControl: AccessControl?
  let observer: @Sendable (_ method: String, _ path: String) -> Void

  func answer(_ request: Request) async -> Answer {
    observer(request.method?.rawValue ?? "?", request.path)
    let target: Target
    do {
      target = try Target(path: request.path, query: request.query)
    } catch {
      return .malformed(error)
    }
    let permissions: Permissions
    do {
      permissions = try accessControl?.permissions(authorization: request.authorization) ?? .everything
    } catch {
      return withType(MediaType.standard, error.answer())
    }
    let (context, segments) = withoutContext(target.segments)
    for endpoint in endpoints {
      guard let parameters = endpoint.match(segments) else { continue }
      let call = Call(
        parameters: parameters, query: target.query, context: context, body: request.body, time: request.time,
        permissions: permissions)
      return await answer(request, call, at: endpoint)
    }
    return APIError.notFound.answer(contentType: .absent)
  }

  /// Method, request type, answer type, then the resource: the order the genuine server checks in.
  private func answer(_ request: Request, _ call: Call, at endpoint: Endpoint) async -> Answer {
    if request.method == .options { return .options(allow: endpoint.allowed) }
    guard let method = request.method, let handler = endpoint.handlers[method == .head ? .get : method] else {
      return .methodNotAllowed(allow: endpoint.allowed.joined(separator: ","))
    }
    if method.hasBody, !MediaType.isAccepted(request.contentType) {
      return withType(MediaType.standard, APIError.http(415, "Unsupported Media Type").answer())
    }
    guard let type = MediaType.negotiated(accept: request.accept) else {
      return APIError.http(406, "Not Acceptable").answer(contentType: .absent)
    }
    do {
      if accessControl != nil {
        let rules = AccessRules(method: method, path: endpoint.path, call: call)
        try await registry.read { (state) throws(APIError) in try rules.check(state) }
      }
      switch handler {
      case .state(let decide): return withType(type, try await registry.perform(decide, call))
      case .service(let perform): return withType(type, try await perform(registry, call))
      }
    } catch {
      return withType(type, error.answer())
    }
  }

  private func withType(_ type: String, _ answer: Answer) -> Answer {
    var answer = answer
    if answer.contentType == .negotiated { answer.contentType = .named(type) }
    return answer
  }

  /// `/contexts/<context>/…` in front of a path puts its subjects into a context; the dot may be missing.
  private func withoutContext(_ segments: [String]) -> (context: String?, segments: ArraySlice<String>) {
    guard segments.count > 2, segments[0] == "contexts" else { return (nil, segments[...]) }
    return (Subject.context(named: segments[1]), segments[2...])
  }
}
