internal import Foundation
internal import Threads

/// A server on a loopback port whose whole behaviour is one closure per connection, so that it can also misbehave.
///
/// Every connection has a thread of its own, where the closure may block. When the server goes, its connections
/// end and the closures with them.
package final class TestServer: Sendable {
  package let port: UInt16
  private let listener: Int32
  private let connections = Locked<(accepted: Int, open: Set<Int32>, isOver: Bool)>((0, [], false))

  package init(_ serve: @escaping @Sendable (Connection) -> Void) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var count = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = withUnsafeMutableBytes(of: &address) { bytes in
      let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
      return bind(listener, address, count) == 0 && listen(listener, 256) == 0
        && getsockname(listener, address, &count) == 0
    }
    guard isListening else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    port = UInt16(bigEndian: address.sin_port)
    // Closed under the lock, or after `deinit` has shut it down: a number that is free may be another socket's by then.
    Thread.detachNewThread { [connections] in
      while true {
        let descriptor = accept(listener, nil, nil)
        if descriptor < 0, errno == EINTR { continue }
        guard descriptor >= 0 else { break }
        let isWanted = connections.withLock { connections in
          connections.accepted += 1
          return !connections.isOver && connections.open.insert(descriptor).inserted
        }
        guard isWanted else {
          close(descriptor)
          continue
        }
        Thread.detachNewThread {
          serve(Connection(descriptor))
          connections.withLock { connections in
            connections.open.remove(descriptor)
            close(descriptor)
          }
        }
      }
      close(listener)
    }
  }

  /// A server that answers every request of every connection with the bytes the closure returns.
  package convenience init(answering answer: @escaping @Sendable (ReceivedRequest) -> String) throws {
    try self.init { connection in
      while let request = connection.readRequest() { connection.write(answer(request)) }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    connections.withLock { connections in
      connections.isOver = true
      for descriptor in connections.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  package var url: String { "http://127.0.0.1:\(port)" }

  package var acceptedCount: Int { connections.withLock { $0.accepted } }
}
