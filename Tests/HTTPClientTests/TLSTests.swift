import Threads
import TestSupport
import Testing

@testable import HTTPClient

/// Who is trusted, and who we say we are.
struct TLSTests {
  private func send(
    to server: TLSServer, trusting authority: String?, body: [UInt8]? = nil,
    _ change: (inout HTTPClient.Configuration) -> Void = { _ in }
  ) async throws(HTTPError) -> HTTPResponse {
    var configuration = HTTPClient.Configuration()
    configuration.certificateAuthorityFile = authority
    change(&configuration)
    let request = HTTPRequest(.post, server.url + "/kms?q=secret", body: body.map { HTTPBody($0) })
    return try await HTTPClient(configuration).send(request)
  }

  private func server(_ name: String = "server", _ options: [String] = []) async throws -> TLSServer {
    let certificates = try await Certificates.shared
    return try await TLSServer(
      certificate: certificates.certificate(name), key: certificates.key(name), options)
  }

  private func certificate(_ name: String) async throws -> String {
    try await Certificates.shared.certificate(name)
  }

  @Test func anOwnAuthorityIsAccepted() async throws {
    let body = Array("plaintext data key".utf8)
    let response = try await send(to: server(), trusting: certificate("ca"), body: body)
    #expect(response.status == 200 && response.body.withUnsafeBytes { Array($0) } == body)
  }

  @Test(arguments: [nil, "stranger"])
  func anUnknownAuthorityIsRefused(_ authority: String?) async throws {
    let file = if let authority { try await certificate(authority) } else { String?.none }
    let server = try await server()
    let error = await #expect(throws: HTTPError.self) { try await send(to: server, trusting: file) }
    #expect(error?.reason == .tls && error?.isRetriable == false)
    #expect(error?.detail == "SSL certificate problem: unable to get local issuer certificate")
  }

  @Test func aMissingAuthorityFileIsNamed() async throws {
    let server = try await server()
    let error = await #expect(throws: HTTPError.self) {
      try await send(to: server, trusting: "/nowhere/ca.pem")
    }
    #expect(error?.reason == .tls && error?.detail.contains("/nowhere/ca.pem") == true)
  }

  @Test func anotherHostsCertificateIsRefusedUnlessNamesDoNotCount() async throws {
    let server = try await server("elsewhere")
    let authority = try await certificate("ca")
    let error = await #expect(throws: HTTPError.self) { try await send(to: server, trusting: authority) }
    #expect(error?.reason == .tls && error?.detail.contains("localhost") == true)
    let response = try await send(to: server, trusting: authority) { $0.verifiesHostname = false }
    #expect(response.status == 200)
  }

  @Test func notCheckingNamesStillChecksTheAuthority() async throws {
    let server = try await server("elsewhere")
    let stranger = try await certificate("stranger")
    let error = await #expect(throws: HTTPError.self) {
      try await send(to: server, trusting: stranger) { $0.verifiesHostname = false }
    }
    #expect(error?.reason == .tls)
  }

  @Test(arguments: [false, true])
  func aClientCertificateIsGiven(_ isKeyLocked: Bool) async throws {
    let certificates = try await Certificates.shared
    let server = try await server("server", ["--client-ca", certificates.certificate("ca")])
    let response = try await send(to: server, trusting: certificates.certificate("ca")) {
      $0.clientIdentity = .init(
        certificateFile: certificates.certificate("client"),
        keyFile: isKeyLocked ? certificates.lockedKey : certificates.key("client"),
        keyPassword: isKeyLocked ? Certificates.keyPassword : nil)
    }
    #expect(response.headers["X-Client"] == "client")
  }

  @Test func aMissingClientCertificateIsExplained() async throws {
    let authority = try await certificate("ca")
    let server = try await server("server", ["--client-ca", authority])
    let error = await #expect(throws: HTTPError.self) { try await send(to: server, trusting: authority) }
    #expect(error?.reason == .connectionLost && error?.detail.contains("certificate required") == true)
  }

  @Test(arguments: [nil, "wrong hunter2"])
  func aLockedKeyNeedsItsPassword(_ password: String?) async throws {
    let certificates = try await Certificates.shared
    let server = try await server()
    let error = await #expect(throws: HTTPError.self) {
      try await send(to: server, trusting: certificates.certificate("ca")) {
        $0.clientIdentity = .init(
          certificateFile: certificates.certificate("client"), keyFile: certificates.lockedKey,
          keyPassword: password)
      }
    }
    #expect(error?.reason == .tls && error?.description.contains("hunter2") == false)
    #expect(error?.detail.contains(certificates.lockedKey) == true)
  }

  @Test func plainHTTPIsNoTLS() async throws {
    let server = try TestServer { connection in
      connection.write(answer("400 Bad Request"))
      connection.waitForEnd()
    }
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPClient().send(HTTPRequest(.get, "https://127.0.0.1:\(server.port)/"))
    }
    #expect(
      error?.reason == .cannotConnect && error?.detail.contains("wrong version number") == true,
      "\(String(describing: error))")
  }
}
