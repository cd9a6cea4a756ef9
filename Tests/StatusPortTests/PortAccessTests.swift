import StatusPort
import Testing

struct PortAccessTests {
  private static let secret = "0123456789abcdef-right"

  private func request(host: String? = "127.0.0.1:9470", bearer: String? = nil) throws -> PortRequest {
    var reader = RequestReader()
    let text =
      "GET / HTTP/1.0\r\n" + (host.map { "Host: \($0)\r\n" } ?? "")
      + (bearer.map { "Authorization: \($0)\r\n" } ?? "") + "\r\n"
    guard case .complete(let request) = reader.take(Array(text.utf8)) else { throw Malformed() }
    return request
  }

  private struct Malformed: Error {}

  struct Case: Sendable {
    let address: String
    let hasToken: Bool
    let need: PortAccess.Need
    var host = "127.0.0.1:9470"
    var authorization: String?
    /// `nil` when it is answered.
    let refusal: Int?
  }

  private static let right = "Bearer \(secret)"

  static let cases: [Case] = [
    .init(address: "127.0.0.1:0", hasToken: false, need: .reading, refusal: nil),
    .init(address: "[::1]:0", hasToken: false, need: .reading, host: "[::1]:9470", refusal: nil),
    .init(address: "127.0.0.1:0", hasToken: true, need: .reading, host: "localhost:9470", refusal: nil),
    .init(address: "127.0.0.1:0", hasToken: false, need: .control, refusal: 403),
    .init(address: "127.0.0.1:0", hasToken: true, need: .control, refusal: 401),
    .init(address: "127.0.0.1:0", hasToken: true, need: .control, authorization: right, refusal: nil),
    .init(address: "127.0.0.1:0", hasToken: true, need: .control, authorization: right + "x", refusal: 401),
    .init(
      address: "127.0.0.1:0", hasToken: true, need: .control, authorization: "Basic \(secret)", refusal: 401),
    // A page that a browser was led here by, under its own name.
    .init(address: "127.0.0.1:0", hasToken: false, need: .reading, host: "evil.example:9470", refusal: 403),
    .init(address: "127.0.0.1:0", hasToken: true, need: .control, host: "evil.example", refusal: 403),
    .init(address: "127.0.0.1:0", hasToken: false, need: .health, host: "evil.example", refusal: 403),
    .init(
      address: "127.0.0.1:0", hasToken: false, need: .reading, host: "127.0.0.1.evil.example", refusal: 403),
    // A tunnel's name with the token.
    .init(
      address: "127.0.0.1:0", hasToken: true, need: .reading, host: "jobs.example", authorization: right,
      refusal: nil),
    .init(
      address: "127.0.0.1:0", hasToken: true, need: .reading, authorization: "Bearer wrong", refusal: 401),
    .init(address: "127.0.0.1:0", hasToken: false, need: .reading, authorization: right, refusal: 401),
    .init(address: "0.0.0.0:0", hasToken: true, need: .reading, host: "10.0.0.7:9470", refusal: 401),
    .init(
      address: "0.0.0.0:0", hasToken: true, need: .reading, host: "10.0.0.7:9470", authorization: right,
      refusal: nil),
    .init(address: "0.0.0.0:0", hasToken: true, need: .reading, refusal: 401),
    .init(address: "0.0.0.0:0", hasToken: true, need: .health, host: "10.0.0.7:9470", refusal: nil),
    .init(address: "0.0.0.0:0", hasToken: true, need: .control, host: "10.0.0.7:9470", refusal: 401),
  ]

  @Test(arguments: cases)
  func whoMayAskWhat(_ item: Case) throws {
    let address = try #require(PortAddress(item.address))
    let access = try PortAccess(address, token: item.hasToken ? AccessToken(Self.secret) : nil)
    let request = try request(host: item.host, bearer: item.authorization)
    #expect(access.refusal(item.need, of: request)?.status == item.refusal)
  }

  @Test(arguments: ["0.0.0.0:9470", "[::]:9470", "10.0.0.7:9470"])
  func anOpenPortNeedsAToken(_ text: String) throws {
    let address = try #require(PortAddress(text))
    #expect(throws: PortAccess.OpenToEverybody.self) { _ = try PortAccess(address, token: nil) }
  }

  @Test(arguments: [
    ("127.0.0.1:9470", true), ("127.255.0.9:1", true), ("[::1]:65535", true), ("localhost:0", true),
    ("0.0.0.0:80", false), ("10.0.0.7:80", false), ("[fe80::1]:80", false), ("[::]:80", false),
  ])
  func addressesOfThisMachineAloneAreKnown(_ text: String, _ isLoopback: Bool) throws {
    #expect(try #require(PortAddress(text)).isLoopback == isLoopback)
  }

  @Test(arguments: [
    "", "9470", ":9470", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "example.com:80", "127.1:80", "::1:80",
    "[127.0.0.1]:80", "127.0.0.256:1", "127.0.0.1:-1",
  ])
  func whatIsNoAddressIsRefused(_ text: String) { #expect(PortAddress(text) == nil) }

  @Test func aTokenShowsNothingOfItself() throws {
    let token = try #require(AccessToken(Self.secret))
    #expect("\(token)" == "AccessToken" && !String(reflecting: token).contains("right"))
    #expect(token.isCarried(by: token.authorization) && token.isCarried(by: "bearer \(Self.secret)"))
    for wrong in ["", "Bearer ", "Bearer \(Self.secret.dropLast())", Self.secret] {
      #expect(!token.isCarried(by: wrong))
    }
  }

  @Test(arguments: [
    "", "short", "has spaces in it, which no header takes", String(repeating: "x", count: 513),
  ])
  func aTokenThatCannotServeIsRefused(_ text: String) { #expect(AccessToken(text) == nil) }
}
