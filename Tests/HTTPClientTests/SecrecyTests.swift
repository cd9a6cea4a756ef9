import Threads
import Foundation
import Testing

@testable import HTTPClient

/// What must be overwritten and what must not be printed.
struct SecrecyTests {
  /// Keeps what is given back, as it was at that moment.
  private final class Returned: Sendable {
    let blocks = Locked<[[UInt8]]>([])

    func take(_ block: UnsafeMutableRawBufferPointer) {
      blocks.withLock { $0.append(Array(block)) }
      block.deallocate()
    }
  }

  @Test func memoryIsWipedBeforeItIsGivenBack() {
    let returned = Returned()
    do {
      var memory = WipedMemory(capacity: 16) { returned.take($0) }
      for _ in 0..<300 { Array("hunter2".utf8).withUnsafeBytes { memory.append($0) } }
      #expect(memory.count == 2_100)
      let text = memory.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
      #expect(text == String(repeating: "hunter2", count: 300))
    }
    let blocks = returned.blocks.withLock { $0 }
    #expect(blocks.map(\.count) == [16, 1_024, 2_048, 4_096])
    #expect(blocks.allSatisfy { $0.allSatisfy { $0 == 0 } })
  }

  @Test func aBodyWipesItsMemoryWhenTheLastReferenceGoes() {
    let returned = Returned()
    var memory = WipedMemory(capacity: 7) { returned.take($0) }
    Array("hunter2".utf8).withUnsafeBytes { memory.append($0) }
    var body: HTTPBody? = HTTPBody(memory)
    let request = HTTPRequest(.post, "http://localhost/", body: body)
    body = nil
    #expect(returned.blocks.withLock { $0.isEmpty } && request.body?.count == 7)
    withExtendedLifetime(request) {}
  }

  @Test func theReceiveBufferIsWipedOnceItsChunkIsCopied() throws {
    let submission = Submission(
      id: 1, request: HTTPRequest(.get, "http://localhost/"),
      destination: try Destination(url: "http://localhost/")
    ) { _ in }
    var configuration = HTTPClient.Configuration()
    configuration.maximumBodyBytes = 10
    let transfer = try Transfer(submission, configuration)
    for (text, taken) in [("hunter2", 7), ("hunter2", 0)] {
      var chunk = Array(text.utf8)
      #expect(chunk.withUnsafeMutableBytes { transfer.receiveBody($0) } == taken)
      #expect(chunk == [UInt8](repeating: 0, count: 7))
    }
  }

  @Test func libcurlsMemoryIsWipedBeforeItIsGivenBack() throws {
    var released: [[UInt8]] = []
    func release(_ block: UnsafeMutableRawPointer) {
      released.append(Array(UnsafeRawBufferPointer(start: block, count: 7)))
      free(block)
    }
    let block = try #require(WipingAllocator.reallocate(nil, 7, release: release))
    block.copyMemory(from: Array("hunter2".utf8), byteCount: 7)
    let moved = try #require(WipingAllocator.reallocate(block, 1_000, release: release))
    #expect(UnsafeRawBufferPointer(start: moved, count: 7).elementsEqual("hunter2".utf8))
    WipingAllocator.free(moved, release: release)
    #expect(released == [[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
  }

  @Test func nothingPrintsItsSecrets() {
    var configuration = HTTPClient.Configuration()
    configuration.proxyURL = "http://user:hunter2@proxy/"
    configuration.clientIdentity = .init(certificateFile: "c.pem", keyFile: "k.pem", keyPassword: "hunter2")
    let request = HTTPRequest(
      .get, "http://user:hunter2@host/?q=hunter2", headers: ["Authorization": "hunter2"],
      body: HTTPBody(utf8: "hunter2"))
    let response = HTTPResponse(status: 200, headers: request.headers, body: HTTPBody(utf8: "hunter2"))
    let printed = [
      "\(configuration)", "\(String(describing: configuration.clientIdentity))", "\(request)",
      String(reflecting: request), "\(request.headers)", "\(response)", "\(HTTPBody(utf8: "hunter2"))",
    ]
    for text in printed { #expect(!text.contains("hunter2"), "\(text)") }
  }
}
