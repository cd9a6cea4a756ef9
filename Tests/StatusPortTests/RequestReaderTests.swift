import StatusPort
import Testing

struct RequestReaderTests {
  private func outcome(_ text: String) -> RequestReader.Outcome {
    var reader = RequestReader()
    return reader.take(Array(text.utf8))
  }

  private func request(_ text: String) throws -> PortRequest {
    guard case .complete(let request) = outcome(text) else {
      throw Unexpected(outcome: "\(outcome(text))")
    }
    return request
  }

  private struct Unexpected: Error { let outcome: String }

  @Test func aRequestIsReadWhole() throws {
    let request = try request(
      "POST /control/rate?job=a&job=b&x HTTP/1.1\r\nHost: 127.0.0.1:9470\r\nauthorization:  Bearer abc \r\n"
        + "Content-Length: 2\r\n\r\n{}trailing")
    #expect(request.method == "POST" && request.path == "/control/rate")
    #expect(request.query == ["job": "a", "x": ""])
    #expect(request.host == "127.0.0.1:9470")
    #expect(request.authorization == "Bearer abc")
    #expect(request.body == Array("{}".utf8))
  }

  @Test func itMayComeByteByByte() throws {
    var reader = RequestReader()
    let bytes = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".utf8)
    for byte in bytes.dropLast() {
      guard case .needsMore = reader.take([byte]) else { throw Unexpected(outcome: "too early") }
    }
    guard case .complete(let request) = reader.take([bytes[bytes.count - 1]]) else {
      throw Unexpected(outcome: "not complete")
    }
    #expect(request.body == Array("abc".utf8))
  }

  @Test(arguments: [
    ("GET\r\n\r\n", 400), ("GET / HTTP/1.1 x\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400),
    ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("GET / HTTP/2\r\nHost: h\r\n\r\n", 505), ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: h\u{0}\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: é\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8193\r\n\r\n", 413),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
  ])
  func whatCouldBeReadInTwoWaysIsRefused(_ text: String, _ status: Int) throws {
    guard case .refused(let answer) = outcome(text) else { throw Unexpected(outcome: "\(outcome(text))") }
    #expect(answer.status == status)
  }

  @Test func anEndlessHeaderIsRefusedWhenItIsTooLong() throws {
    var reader = RequestReader()
    var taken = 0
    let line = Array("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 4_000))".utf8)
    while case .needsMore = reader.take(line) { taken += line.count }
    #expect(taken <= RequestReader.maximumHeadBytes)
    guard
      case .refused(let answer) = outcome(String(repeating: "x", count: RequestReader.maximumHeadBytes + 1))
    else { throw Unexpected(outcome: "not refused") }
    #expect(answer.status == 431)
  }

  @Test func halfARequestWaits() throws {
    for text in [
      "", "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n",
    ] {
      guard case .needsMore = outcome(text) else { throw Unexpected(outcome: "\(outcome(text))") }
    }
  }
}
