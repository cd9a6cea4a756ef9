/// Puts one HTTP/1.1 request together from the bytes that come in (RFC 9112), and takes no more of them than a
/// request to this port can need.
///
/// Stricter than a web server must be: a request that could be read in two ways is refused.
package struct RequestReader: Sendable {
  package static let maximumHeadBytes = 16 << 10
  package static let maximumBodyBytes = 8 << 10

  package enum Outcome: Sendable {
    case needsMore
    case complete(PortRequest)
    case refused(PortAnswer)
  }

  private var bytes: [UInt8] = []
  /// How many of them were searched for the end of the head.
  private var searched = 0
  private var head: Head?

  package init() {}

  /// Takes what came in next. What follows a complete request is ignored.
  package mutating func take(_ more: [UInt8]) -> Outcome {
    bytes += more
    do throws(Refusal) {
      if head == nil {
        guard let end = endOfHead() else {
          guard bytes.count <= Self.maximumHeadBytes else { throw Refusal(431, "the header is too long") }
          return .needsMore
        }
        guard end <= Self.maximumHeadBytes else { throw Refusal(431, "the header is too long") }
        head = try Head(bytes[..<end])
        bytes.removeFirst(end)
      }
      guard let head else { return .needsMore }
      guard bytes.count >= head.bodyCount else { return .needsMore }
      return .complete(head.request(body: Array(bytes.prefix(head.bodyCount))))
    } catch {
      return .refused(.refusal(error.status, error.reason))
    }
  }

  /// The index after the empty line.
  private mutating func endOfHead() -> Int? {
    let mark: [UInt8] = [13, 10, 13, 10]
    while searched + mark.count <= bytes.count {
      if bytes[searched..<searched + mark.count].elementsEqual(mark) { return searched + mark.count }
      searched += 1
    }
    return nil
  }
}

/// Why a request is not answered. Quotes nothing of it.
private struct Refusal: Error {
  let status: Int
  let reason: String

  init(_ status: Int, _ reason: String) {
    self.status = status
    self.reason = reason
  }
}

/// Request line and header fields.
private struct Head: Sendable {
  private let method: String
  private let path: String
  private let query: [String: String]
  private var fields: [String: String] = [:]
  private(set) var bodyCount = 0

  /// `bytes` end with the empty line.
  init(_ bytes: ArraySlice<UInt8>) throws(Refusal) {
    guard bytes.allSatisfy({ $0 == 9 || $0 == 10 || $0 == 13 || (0x20..<0x7F).contains($0) }) else {
      throw Refusal(400, "the header holds a byte that has no place there")
    }
    var lines = String(decoding: bytes.dropLast(4), as: UTF8.self)
      .split(separator: "\r\n", omittingEmptySubsequences: false)
    guard !lines.contains(where: { $0.contains { $0 == "\r" || $0 == "\n" } }) else {
      throw Refusal(400, "a line of the header ends otherwise than with CR LF")
    }
    let first = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
    guard first.count == 3, Self.isToken(first[0]), first[1].hasPrefix("/") else {
      throw Refusal(400, "the request line is malformed")
    }
    guard first[2] == "HTTP/1.1" || first[2] == "HTTP/1.0" else {
      throw Refusal(505, "only HTTP/1.1 is spoken here")
    }
    method = String(first[0])
    let target = first[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(target[0])
    query = target.count > 1 ? Self.parameters(target[1]) : [:]
    for line in lines { try add(line) }
    guard fields["transfer-encoding"] == nil else {
      throw Refusal(501, "a body must have a Content-Length")
    }
    guard first[2] == "HTTP/1.0" || fields["host"] != nil else {
      throw Refusal(400, "the Host header is missing")
    }
    guard let length = fields["content-length"] else { return }
    guard !length.isEmpty, length.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { throw Refusal(400, "the Content-Length is not a number") }
    guard let count = Int(length), count <= RequestReader.maximumBodyBytes else {
      throw Refusal(413, "the body is too long")
    }
    bodyCount = count
  }

  /// A field that comes twice is refused: which of two counts is a matter of taste (RFC 9110 section 5.3).
  private mutating func add(_ line: Substring) throws(Refusal) {
    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, Self.isToken(parts[0]) else { throw Refusal(400, "a header field is malformed") }
    let name = parts[0].lowercased()
    guard fields.updateValue(Self.trimmed(parts[1]), forKey: name) == nil || !Self.single.contains(name)
    else {
      throw Refusal(400, "a header field comes twice")
    }
  }

  private static let single: Set = ["host", "authorization", "content-length", "transfer-encoding"]

  func request(body: [UInt8]) -> PortRequest {
    PortRequest(
      method: method, path: path, query: query, host: fields["host"],
      authorization: fields["authorization"], body: body)
  }

  private static func parameters(_ query: Substring) -> [String: String] {
    var parameters: [String: String] = [:]
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if parameters[name] == nil { parameters[name] = parts.count > 1 ? String(parts[1]) : "" }
    }
    return parameters
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
  }

  /// RFC 9110 section 5.6.2.
  private static func isToken(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
  }
}
