internal import FlyingSocks
internal import Foundation
internal import Glibc
internal import Threads

/// Answers HTTP requests, one a connection, within fixed limits of bytes, time and connections.
///
/// Not FlyingFox's server, which the embedded registry uses: that one reads header lines of any length, and this port
/// may face a network. Its sockets serve here too.
package final class PortServer: Sendable {
  /// When all are taken, the oldest connection gives way: whoever holds many and says nothing keeps nobody waiting.
  package static let maximumConnections = 64
  /// How much of a refused request is read away, so that its sender sees the answer.
  private static let maximumIgnoredBytes = 256 << 10

  package typealias Handler = @Sendable (PortRequest) async -> PortAnswer

  /// Where it listens; the port is the one the system gave.
  package let address: PortAddress
  private let socket: AsyncSocket
  private let pool: any AsyncSocketPool
  private let handler: Handler
  private let timeLimit: Duration
  /// The connections there are, the oldest first.
  private let connections = Locked<[Int32]>([])

  /// Listens from now on; answers once it runs.
  ///
  /// - Parameter timeLimit: for a connection, from being accepted to its end.
  package init(
    _ address: PortAddress, timeLimit: Duration = .seconds(10), handler: @escaping Handler
  ) async throws(CannotListen) {
    self.handler = handler
    self.timeLimit = timeLimit
    let pool = SocketPool.ePoll(maxEvents: 20)
    do {
      try await pool.prepare()
      let socket = try Self.socket(address)
      self.socket = try AsyncSocket(socket: socket, pool: pool)
      switch try socket.sockname() {
      case .ip4(let host, let port), .ip6(let host, let port):
        self.address = PortAddress(host: host, port: port)
      case .unix: throw SocketError.unsupportedAddress
      }
    } catch SocketError.failed(_, _, let message) {
      throw CannotListen(address: address, reason: message)
    } catch {
      throw CannotListen(address: address, reason: "\(error)")
    }
    self.pool = pool
  }

  package struct CannotListen: Error, CustomStringConvertible {
    let address: PortAddress
    let reason: String
    package var description: String { "the status port cannot listen on \(address): \(reason)" }
  }

  private static func socket(_ address: PortAddress) throws -> Socket {
    if address.host.contains(":") {
      return try socket(AF_INET6, .inet6(ip6: address.host, port: address.port))
    }
    return try socket(AF_INET, .inet(ip4: address.host, port: address.port))
  }

  private static func socket(_ family: Int32, _ address: some SocketAddress) throws -> Socket {
    let socket = try Socket(domain: family, type: .stream)
    do {
      try socket.setValue(true, for: .localAddressReuse)
      try socket.bind(to: address)
      try socket.listen()
      return socket
    } catch {
      try socket.close()
      throw error
    }
  }

  // MARK: Running

  /// Answers until the task is cancelled; ends all connections then and stops listening.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.watchSockets() }
      for _ in 0..<Self.maximumConnections { group.addTask { await self.work() } }
    }
    close(socket)
  }

  /// Ends with the cancellation that ends everything here; without it nothing is read or accepted any more.
  private func watchSockets() async { do { try await pool.run() } catch { return } }

  /// Serves one connection after the other.
  private func work() async {
    while !Task.isCancelled {
      do {
        await serve(try await socket.accept())
      } catch {
        // No descriptors left, or a peer that was gone at once; neither is a reason to go deaf.
        await pause(.milliseconds(100))
      }
    }
  }

  /// Returns early when all is over.
  private func pause(_ duration: Duration) async {
    do { try await Task.sleep(for: duration) } catch { return }
  }

  private func serve(_ connection: AsyncSocket) async {
    let descriptor = connection.socket.file.rawValue
    enter(descriptor)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.converse(connection) }
      group.addTask { await self.pause(self.timeLimit) }
      // Whichever is first ends the other.
      await group.next()
      group.cancelAll()
    }
    connections.withLock { connections in connections.removeAll { $0 == descriptor } }
    close(connection)
  }

  private func enter(_ descriptor: Int32) {
    connections.withLock { connections in
      connections.append(descriptor)
      guard connections.count == Self.maximumConnections else { return }
      // Its conversation ends as if the peer had gone. The descriptor is still that connection's: none is closed
      // before it has left the list.
      shutdown(connections.removeFirst(), Int32(SHUT_RDWR))
    }
  }

  /// What does not close is gone all the same.
  private func close(_ socket: AsyncSocket) { do { try socket.close() } catch { return } }

  private func converse(_ connection: AsyncSocket) async {
    do {
      var reader = RequestReader()
      while true {
        switch reader.take(try await connection.read(atMost: 4_096)) {
        case .needsMore: continue
        case .complete(let request):
          let answer = await handler(request)
          try await connection.write(Data(answer.bytes(isHead: request.method == "HEAD")))
        case .refused(let answer): try await connection.write(Data(answer.bytes(isHead: false)))
        }
        return try await finish(connection)
      }
    } catch {
      // The peer went away, or its time is over; there is nobody to tell.
    }
  }

  /// Closing with bytes unread would throw the answer away on its way.
  private func finish(_ connection: AsyncSocket) async throws {
    shutdown(connection.socket.file.rawValue, Int32(SHUT_WR))
    var ignored = 0
    while ignored < Self.maximumIgnoredBytes { ignored += try await connection.read(atMost: 4_096).count }
  }
}
