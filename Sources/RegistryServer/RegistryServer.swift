internal import Foundation
package import KeyManagement

/// A Schema Registry with DEK Registry in this process, for trying out and for tests: genuine clients work
/// against it unchanged.
///
/// Unless it is given an ``AccessControl`` it asks nobody who they are, and a shared KEK makes it hand out keys in
/// the clear. It listens on the loopback interface unless told otherwise.
package final class RegistryServer: Sendable {
  package struct Options: Sendable {
    /// An IPv4 or IPv6 address.
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port: UInt16 = 0
    /// Where the state is kept between runs; `nil` forgets it.
    package var stateFile: String?
    /// Drops rule sets without a word, as the community server does (specification section B.4).
    package var dropsRules = false
    /// How many KEKs, and how many DEKs, may exist.
    package var maximumKeys = 20_000
    /// For KEKs that are shared with the server. Their environment, such as `LOCAL_SECRET`, is the server's.
    package var drivers = KMSDrivers([])
    /// Who may do what; `nil` lets everybody do everything.
    package var accessControl: AccessControl?
    /// Milliseconds since 1970; what timestamps are made of.
    package var clock: @Sendable () -> Int = { Int(Date().timeIntervalSince1970 * 1_000) }
    /// Told method and path of every request as it comes in: an access log without the answers.
    package var observer: @Sendable (_ method: String, _ path: String) -> Void = { _, _ in }

    package init() {}
  }

  private let listener: HTTPListener

  /// Loads the state file. Throws ``RegistryServerError``.
  package init(_ options: Options = Options()) throws(RegistryServerError) {
    let registry = try Registry(file: options.stateFile.map(StateFile.init))
    let schemas = SchemaAPI(dropsRules: options.dropsRules)
    let keys = KeyAPI(maximumKeys: options.maximumKeys, drivers: options.drivers)
    let router = Router(
      endpoints: schemas.endpoints + keys.endpoints, registry: registry,
      accessControl: options.accessControl, observer: options.observer)
    listener = HTTPListener(host: options.host, port: options.port, router: router, clock: options.clock)
  }

  /// Starts to listen and returns the base URL, such as `http://127.0.0.1:8081`. Throws
  /// ``RegistryServerError``.
  package func start() async throws(RegistryServerError) -> String { try await listener.start() }

  /// Ends all connections. Every answered change is in the state file already.
  package func stop() async { await listener.stop() }
}
