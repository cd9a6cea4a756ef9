import Foundation
import Glibc
import TestSupport
import Testing

@testable import HTTPClient

/// What is left in this process's memory of bodies that went out and came back; the server is another process.
struct BodyMemoryTests {
  /// A body of random bytes, which are nowhere else.
  private func secretBody(_ count: Int) -> (body: HTTPBody, needle: Needle) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
    defer {
      explicit_bzero(memory, count)
      memory.deallocate()
    }
    let bytes = UnsafeMutableRawBufferPointer(start: memory, count: count)
    for index in bytes.indices { bytes[index] = UInt8.random(in: 1...255) }
    let needle = Needle("body", UnsafeRawBufferPointer(rebasing: bytes[(count / 2)..<(count / 2 + 32)]))
    return (HTTPBody(copying: UnsafeRawBufferPointer(bytes)), needle)
  }

  @Test(arguments: [64, 5_000, 40_000])
  func nothingIsLeftOfABodyOnceItIsDropped(_ count: Int) async throws {
    let certificates = try await Certificates.shared
    let server = try await TLSServer(
      certificate: certificates.certificate("server"), key: certificates.key("server"))
    var configuration = HTTPClient.Configuration()
    configuration.certificateAuthorityFile = certificates.certificate("ca")
    let client = try HTTPClient(configuration)

    func exchange() async throws -> Needle {
      let (body, needle) = secretBody(count)
      let response = try await client.send(HTTPRequest(.post, server.url, body: body))
      #expect(response.body.count == count)
      #expect(try MemoryScan().find([needle])["body", default: 0] >= 2)
      return needle
    }
    let needle = try await exchange()
    // The connection stays open for the next request.
    let found = try MemoryScan().find([needle])["body", default: 0]
    #expect(found == 0)
    await client.close()
  }
}
