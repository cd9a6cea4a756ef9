import TestSupport
import Testing

@testable import HTTPClient

/// Cancelling, closing and letting go.
struct LifecycleTests {
  /// A server that answers nobody and says when a request arrives and when its connection ends.
  private final class SilentServer: Sendable {
    enum Event { case arrived, ended }

    let events: AsyncStream<Event>
    let server: TestServer

    init() throws {
      let (events, event) = AsyncStream.makeStream(of: Event.self)
      self.events = events
      server = try TestServer { connection in
        if connection.readRequest() != nil { event.yield(.arrived) }
        connection.waitForEnd()
        event.yield(.ended)
      }
    }

    func next() async -> Event? {
      for await event in events { return event }
      return nil
    }
  }

  /// Sends from a task of its own, which the test can cancel or leave.
  private func sending(_ client: HTTPClient, to url: String) -> Task<HTTPError.Reason?, Never> {
    Task {
      do throws(HTTPError) {
        _ = try await client.send(HTTPRequest(.get, url))
        return nil
      } catch {
        return error.reason
      }
    }
  }

  private func single() -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration()
    configuration.maximumConcurrentRequests = 1
    return configuration
  }

  @Test func cancellingEndsATransferUnderWay() async throws {
    let silent = try SilentServer()
    let client = try HTTPClient()
    let task = sending(client, to: silent.server.url)
    #expect(await silent.next() == .arrived)
    task.cancel()
    #expect(await task.value == .cancelled)
    #expect(await silent.next() == .ended)
  }

  @Test func cancellingTakesAWaiterOutOfTheLine() async throws {
    let silent = try SilentServer()
    let client = try HTTPClient(single())
    let first = sending(client, to: silent.server.url)
    #expect(await silent.next() == .arrived)
    let second = sending(client, to: silent.server.url)
    second.cancel()
    #expect(await second.value == .cancelled)
    first.cancel()
    #expect(await first.value == .cancelled)
    #expect(silent.server.acceptedCount == 1)
  }

  @Test func aCancelledTaskSendsNothing() async throws {
    let server = try TestServer(answering: { _ in answer() })
    let client = try HTTPClient()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      await #expect(throws: HTTPError.self) { try await client.send(HTTPRequest(.get, server.url)) }
    }
    await task.value
    #expect(server.acceptedCount == 0)
  }

  @Test func aCancelledRequestFreesItsPlace() async throws {
    let silent = try SilentServer()
    let server = try TestServer(answering: { _ in answer() })
    let client = try HTTPClient(single())
    let first = sending(client, to: silent.server.url)
    #expect(await silent.next() == .arrived)
    let second = sending(client, to: server.url)
    first.cancel()
    #expect(await second.value == nil)
  }

  @Test func closingFailsWhatRunsWhatWaitsAndWhatComesLater() async throws {
    let silent = try SilentServer()
    let client = try HTTPClient(single())
    let running = sending(client, to: silent.server.url)
    #expect(await silent.next() == .arrived)
    let waiting = sending(client, to: silent.server.url)
    await client.close()
    // Everything is freed by now, so the connection is closed too.
    #expect(await silent.next() == .ended)
    #expect(await running.value == .closed)
    #expect(await waiting.value == .closed)
    #expect(await sending(client, to: silent.server.url).value == .closed)
    await client.close()
  }

  @Test func closingFromManyTasksReturnsToAll() async throws {
    let client = try HTTPClient()
    await withTaskGroup { group in
      for _ in 0..<20 { group.addTask { await client.close() } }
    }
  }

  @Test func droppingTheClientEndsItsConnections() async throws {
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    let server = try TestServer { connection in
      while connection.readRequest() != nil { connection.write(answer()) }
      end.yield()
    }
    _ = try await HTTPClient().send(HTTPRequest(.get, server.url))
    for await _ in ends { break }
  }

  @Test func cancellingAndAnsweringAtOnceEndsEveryRequestOnce() async throws {
    let server = try TestServer(answering: { _ in answer() })
    let client = try HTTPClient()
    let outcomes = await withTaskGroup { group in
      for number in 0..<400 {
        group.addTask {
          let task = sending(client, to: server.url)
          if number.isMultiple(of: 2) { task.cancel() }
          return await task.value
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.count == 400)
    #expect(outcomes.allSatisfy { $0 == nil || $0 == .cancelled })
    #expect(outcomes.count { $0 == nil } >= 200)
  }
}
