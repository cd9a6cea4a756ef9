import Dispatch
import Foundation
import Glibc

/// An HTTP client that sends exactly what it is told and shows exactly what came back, over a connection
/// per request.
struct RawHTTPClient: Sendable {
  let port: UInt16

  struct Response: Sendable {
    let status: Int
    /// By name in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
  }

  struct Failure: Error {
    let what: String
  }

  /// `url` is what the server returned from `start`.
  init(_ url: String) throws {
    guard let port = URLComponents(string: url)?.port else { throw Failure(what: "no port in \(url)") }
    self.port = UInt16(port)
  }

  func send(
    _ method: String, _ path: String, headers: [(String, String)] = [], body: String? = nil
  ) async throws -> Response {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
    return try await exchange(Array("\(head)\r\n\(body ?? "")".utf8))
  }

  /// Sends bytes that may or may not be a request, and no more. `nil` where the server closed without a word.
  func sendRaw(_ bytes: [UInt8]) async throws -> Response? {
    let answer = try await roundTrip(bytes, isAll: true)
    return answer.isEmpty ? nil : try Self.parse(answer)
  }

  private func exchange(_ bytes: [UInt8]) async throws -> Response {
    try Self.parse(try await roundTrip(bytes, isAll: false))
  }

  /// Blocking calls wait on a thread of their own; a queue of the process has few for everybody.
  private func roundTrip(_ bytes: [UInt8], isAll: Bool) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue(label: "client").async {
        continuation.resume(with: Result { try blockingRoundTrip(bytes, isAll) })
      }
    }
  }

  private func blockingRoundTrip(_ bytes: [UInt8], _ isAll: Bool) throws -> [UInt8] {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(what: "socket") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    guard connected == 0 else { throw Failure(what: "connect: \(errno)") }

    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // The server may have answered and closed already.
      guard count > 0 else { break }
      sent += count
    }
    if isAll { shutdown(descriptor, Int32(SHUT_WR)) }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
      received += buffer[..<count]
    }
    return received
  }

  private static func parse(_ bytes: [UInt8]) throws -> Response {
    let separator = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) else {
      throw Failure(what: "no end of headers in \(bytes.count) bytes")
    }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
    guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw Failure(what: "no status in \(lines[0])")
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { throw Failure(what: "header \(line)") }
      headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    return Response(status: status, headers: headers, body: Array(bytes[(end + separator.count)...]))
  }
}
