import RegistryServer
import Testing

struct LifecycleTests {
  @Test func listensOnLoopbackAndSaysWhere() async throws {
    let server = try RegistryServer()
    let url = try await server.start()
    #expect(url.hasPrefix("http://127.0.0.1:"))
    await #expect(throws: RegistryServerError.self) { try await server.start() }
    await server.stop()
    await server.stop()
    // It can be started again, on another free port.
    let again = try RawHTTPClient(await server.start())
    #expect(try await again.get("/").text == "{}")
    await server.stop()
  }

  @Test func aTakenPortIsRefusedByName() async throws {
    try await withServer { client in
      var options = RegistryServer.Options()
      options.port = client.port
      let second = try RegistryServer(options)
      let error = await #expect(throws: RegistryServerError.self) { try await second.start() }
      #expect(error?.description.contains("127.0.0.1:\(client.port)") == true)
    }
  }

  @Test(arguments: ["localhost", "300.0.0.1", "x:y", ""])
  func aHostThatIsNoAddressIsRefused(_ host: String) async throws {
    var options = RegistryServer.Options()
    options.host = host
    let server = try RegistryServer(options)
    await #expect(throws: RegistryServerError.self) { try await server.start() }
  }
}
