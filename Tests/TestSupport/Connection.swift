internal import Foundation

/// A request as it came over the wire.
package struct ReceivedRequest: Sendable {
  package var method: String
  package var target: String
  /// Names as sent, in order.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// One accepted connection, used on its own thread with blocking calls.
package final class Connection {
  private let descriptor: Int32
  private var unread: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// The next request with its body; `nil` when the client is gone.
  package func readRequest() -> ReceivedRequest? {
    guard let head = readHead() else { return nil }
    let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
    let start = lines[0].split(separator: " ")
    var request = ReceivedRequest(method: String(start[0]), target: String(start[1]), headers: [], body: [])
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      request.headers.append((String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)))
    }
    let count = request.header("Content-Length").flatMap { Int($0) } ?? 0
    while unread.count < count { guard readMore() else { return nil } }
    request.body = Array(unread.prefix(count))
    unread.removeFirst(count)
    return request
  }

  /// Writes all of it; `false` when the client is gone.
  @discardableResult
  package func write(_ bytes: some Sequence<UInt8>) -> Bool {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest.removeFirst(count)
    }
    return true
  }

  /// Writes the same again and again until the client is gone.
  package func writeForever(_ bytes: [UInt8]) { while write(bytes) {} }

  package func write(_ text: String) { write(text.utf8) }

  /// Returns when the client has closed its side.
  package func waitForEnd() { while readMore() {} }

  private func readHead() -> String? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let range = unread.firstRange(of: end) {
        defer { unread.removeSubrange(..<range.upperBound) }
        return String(decoding: unread[..<range.lowerBound], as: UTF8.self)
      }
      guard readMore() else { return nil }
    }
  }

  private func readMore() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    unread += buffer[..<count]
    return true
  }
}

/// An answer with a body, as text.
package func answer(_ status: String = "200 OK", headers: [String] = [], body: String = "") -> String {
  let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
  return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}
