/// Where to listen, or where somebody listens: an IP address and a port.
package struct PortAddress: Sendable, Hashable, CustomStringConvertible {
  /// IPv4 or IPv6, without brackets.
  package let host: String
  /// 0 asks the system for a free one.
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `127.0.0.1:9470`, `[::1]:9470` or `localhost:9470`. Other names are refused: what they mean, and so who
  /// can connect, is not ours to know.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      return nil
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":"), Self.isIPv6(host) else { return nil }
    } else if host == "localhost" {
      host = "127.0.0.1"
    } else {
      guard Self.isIPv4(host) else { return nil }
    }
    self.init(host: String(host), port: port)
  }

  /// Whether only this machine can connect.
  package var isLoopback: Bool { host == "::1" || (Self.isIPv4(host[...]) && host.hasPrefix("127.")) }

  /// Whether a `Host` header means this machine, which rules out that a browser was led here under another name (DNS
  /// rebinding).
  package static func isLoopbackName(_ header: String) -> Bool {
    if let address = PortAddress(header) { return address.isLoopback }
    return header == "localhost" || header == "[::1]"
      || (isIPv4(header[...]) && header.hasPrefix("127."))
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
          && UInt8(part) != nil
      }
  }

  /// Rough; the system says no to the rest.
  private static func isIPv6(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { byte in
      byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".") || (0x30...0x39).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
