package import KeyManagement

/// The key rings of both sides.
package struct KeyRings: Sendable {
  private let source: KeyRing
  private let sink: KeyRing

  package init(source: KeyRing, sink: KeyRing) {
    self.source = source
    self.sink = sink
  }

  /// Drops the keys whose time is over.
  func forgetExpired() async {
    await source.forgetExpired()
    await sink.forgetExpired()
  }

  package subscript(side: KeySide) -> KeyRing { side == .source ? source : sink }
}
