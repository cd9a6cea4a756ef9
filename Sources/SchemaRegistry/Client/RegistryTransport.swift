package import HTTPClient
package import JSON
internal import Foundation
internal import Threads

/// Requests to one registry, whichever of its addresses answers: shared by the schema and the DEK clients.
package final class RegistryTransport: Sendable {
  private let settings: RegistrySettings
  private let client: HTTPClient
  private let headers: HTTPHeaders
  /// The address that answered last; the next request starts there.
  private let preferred = Locked(0)
  /// What the requests took so far.
  package let metrics = RegistryMetrics()

  package init(_ settings: RegistrySettings, timing: RetryTiming = .system) throws(RegistryError) {
    self.settings = settings
    do {
      client = try HTTPClient(settings.http, timing: timing)
    } catch {
      throw RegistryError(error, request: "registry client")
    }
    var headers: HTTPHeaders = [
      "Accept":
        "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json",
      "Confluent-Accept-Unknown-Properties": "true",
    ]
    for (name, value) in settings.headers { headers.append(name, value) }
    self.headers = headers
  }

  package var addresses: [String] { settings.addresses.map(\.url) }

  /// Sends a request and returns the answer of a 2xx status as it came.
  ///
  /// Tries each address with retries, and goes to the next on a failure that may be the address's own.
  /// `path` holds the segments, which are percent-encoded here.
  package func answer(
    _ method: HTTPRequest.Method, _ path: [String], query: [(String, String)] = [], body: JSONValue? = nil
  ) async throws(RegistryError) -> HTTPBody {
    let target = Self.target(path, query)
    let request = "\(method.rawValue) \(Self.target(path, []))"
    let start = preferred.withLock { $0 }
    var failure: RegistryError?
    for offset in settings.addresses.indices {
      let index = (start + offset) % settings.addresses.count
      do throws(RegistryError) {
        let answer = try await attempt(method, settings.addresses[index], target, body: body, named: request)
        preferred.withLock { $0 = index }
        return answer
      } catch {
        guard error.isOfAddress, !Task.isCancelled else { throw error }
        // What may pass by itself counts before what does not.
        if error.isRetriable || failure == nil { failure = error }
      }
    }
    throw failure
      ?? RegistryError(.unavailable, request: request, message: "the registry has no address")
  }

  /// As ``answer(_:_:query:body:)``, parsed.
  package func json(
    _ method: HTTPRequest.Method, _ path: [String], query: [(String, String)] = [], body: JSONValue? = nil
  ) async throws(RegistryError) -> JSONValue {
    let answer = try await answer(method, path, query: query, body: body)
    do {
      return try answer.withUnsafeBytes { (bytes) throws(JSONError) in try JSONValue(parsing: bytes) }
    } catch {
      throw RegistryError(
        .malformedAnswer, request: "\(method.rawValue) \(Self.target(path, []))",
        message: "the answer is not JSON: \(error)")
    }
  }

  private func attempt(
    _ method: HTTPRequest.Method, _ address: RegistrySettings.Address, _ target: String, body: JSONValue?,
    named name: String
  ) async throws(RegistryError) -> HTTPBody {
    var headers = headers
    if let authorization = address.credentials?.authorization {
      headers.append("Authorization", authorization)
    }
    if body != nil { headers.append("Content-Type", "application/vnd.schemaregistry.v1+json") }
    let request = HTTPRequest(
      method, address.url + target, headers: headers, body: body.map { HTTPBody(utf8: $0.serialized()) })
    let response: HTTPResponse
    let start = ContinuousClock.now
    do {
      response = try await client.send(request, retrying: settings.retry)
    } catch {
      metrics.record(.now - start, isAnswered: false)
      throw RegistryError(error, request: name)
    }
    metrics.record(.now - start, isAnswered: !RetryPolicy.retriableStatuses.contains(response.status))
    guard (200..<300).contains(response.status) else {
      throw RegistryError(status: response.status, body: Self.document(response.body), request: name)
    }
    return response.body
  }

  /// What an answer says; `nil` for the page of a proxy, say, of which the status tells enough.
  private static func document(_ body: HTTPBody) -> JSONValue? {
    body.withUnsafeBytes { bytes in
      do { return try JSONValue(parsing: bytes) } catch { return nil }
    }
  }

  private static func target(_ path: [String], _ query: [(String, String)]) -> String {
    let segments = path.map { "/" + encoded($0) }.joined()
    guard !query.isEmpty else { return segments }
    return segments + "?" + query.map { "\(encoded($0))=\(encoded($1))" }.joined(separator: "&")
  }

  /// Everything but unreserved characters (RFC 3986 section 2.3) is encoded, as the Python client does.
  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }

  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

extension RegistrySettings.Credentials {
  /// The value of the `Authorization` header.
  fileprivate var authorization: String {
    switch self {
    case .basic(let user, let password): "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
    case .bearer(let token): "Bearer \(token)"
    }
  }
}
