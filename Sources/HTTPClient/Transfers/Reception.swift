/// Puts an answer together from what libcurl hands over, within the limits of the configuration.
struct Reception: ~Copyable {
  /// Why an answer is not taken any further.
  struct Refusal: Error, Equatable {
    let reason: HTTPError.Reason
    let detail: String
  }

  private let maximumHeaderBytes: Int
  private let maximumBodyBytes: Int
  private var headerBytes = 0
  /// Whether the empty line after the last header is still to come.
  private(set) var isInHead = false
  private(set) var headers = HTTPHeaders()
  private var body = WipedMemory()

  init(maximumHeaderBytes: Int, maximumBodyBytes: Int) {
    self.maximumHeaderBytes = maximumHeaderBytes
    self.maximumBodyBytes = maximumBodyBytes
  }

  /// Takes one line, with its line break: a status line, a field, the empty line, or a trailer.
  ///
  /// Every status line starts afresh, so of interim answers (1xx) nothing is kept. Trailers are dropped: they
  /// come too late to say anything about the answer (RFC 9110 section 6.5.1).
  mutating func takeHeader(_ line: UnsafeRawBufferPointer) throws(Refusal) {
    headerBytes += line.count
    guard headerBytes <= maximumHeaderBytes else {
      throw Refusal(reason: .tooLarge, detail: "the header exceeds \(maximumHeaderBytes) bytes")
    }
    let text = line.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
    if text.starts(with: "HTTP/".utf8) {
      headers = HTTPHeaders()
      isInHead = true
    } else if text.isEmpty {
      isInHead = false
    } else if isInHead {
      try takeField(text)
    }
  }

  private mutating func takeField(_ line: Slice<UnsafeRawBufferPointer>) throws(Refusal) {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      !isSpace(line[line.startIndex])
    else { throw Refusal(reason: .malformedAnswer, detail: "a header line is not one") }
    var value = line[(colon + 1)...].drop(while: isSpace)
    while let last = value.last, isSpace(last) { value.removeLast() }
    headers.append(String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
  }

  mutating func takeBody(_ chunk: UnsafeRawBufferPointer) throws(Refusal) {
    guard chunk.count <= maximumBodyBytes - body.count else {
      throw Refusal(reason: .tooLarge, detail: "the answer exceeds \(maximumBodyBytes) bytes")
    }
    body.append(chunk)
  }

  /// Hands the body over; what is left is empty.
  mutating func finish() -> HTTPBody {
    var finished = WipedMemory()
    swap(&finished, &body)
    return HTTPBody(finished)
  }
}

/// A blank within a line (RFC 9110 section 5.6.3).
private func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
