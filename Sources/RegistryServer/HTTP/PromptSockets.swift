internal import FlyingSocks
internal import Glibc

/// Sockets that send at once.
///
/// FlyingFox writes the head and the body of an answer separately. On a connection that is kept, Nagle's
/// algorithm holds the body back until the client has confirmed the head, which it does 40 ms later.
struct PromptSockets<Base: AsyncSocketPool>: AsyncSocketPool {
  private let base: Base

  init(_ base: Base) { self.base = base }

  func prepare() async throws { try await base.prepare() }

  func run() async throws { try await base.run() }

  /// Sees the listening socket first; those it accepts inherit the setting. On failure it is only slower.
  func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    var enabled: Int32 = 1
    setsockopt(
      socket.file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &enabled, socklen_t(MemoryLayout<Int32>.size))
    try await base.suspendSocket(socket, untilReadyFor: events)
  }
}
