import FieldCrypto
import Foundation
import JSON
import KeyManagement
import RegistryServer
import SchemaRegistry
import TestSupport
import Testing
import Threads

/// `reseal keys rewrap` against the embedded registry, killed in the middle.
@Suite(.timeLimit(.minutes(15)))
struct RewrapTests {
  private static let count = 500

  /// Where a killed run leaves off, counted in requests that store a DEK.
  private static let killedAfter = 150

  /// Ends `process` when the registry has been asked so often to store a DEK anew.
  private final class Killer: Sendable {
    private let state = Locked<(requests: Int, process: Program.Running?)>((0, nil))

    func arm(_ process: Program.Running) { state.withLock { $0 = (0, process) } }

    func note(_ method: String, _ path: String) {
      guard method == "POST", path.contains("/deks/") else { return }
      state.withLock { state in
        state.requests += 1
        if state.requests == RewrapTests.killedAfter { state.process?.kill() }
      }
    }
  }

  private let killer = Killer()
  private let url: String
  private let server: RegistryServer
  private let registry: DEKRegistryClient

  init() async throws {
    var options = RegistryServer.Options()
    options.observer = { [killer] method, path in killer.note(method, path) }
    server = try RegistryServer(options)
    url = try await server.start()
    registry = DEKRegistryClient(try RegistryTransport(RegistrySettings(["url": url], at: "$")))
  }

  /// The local KMS needs no sparing.
  private static let rate = "kms.requests.per.second"

  /// Keys as a client with one secret, and perhaps retired ones, sees them.
  private func store(secret: String, retired: String = "") -> KeyStore {
    KeyStore(
      registry: registry, drivers: KMSDrivers([LocalKMS(environment: [:])]),
      properties: ["secret": secret, "old.secrets": retired, Self.rate: "1000000"],
      log: silentLog)
  }

  /// What every DEK under the KEK unwraps to.
  private func secrets(with store: KeyStore) async throws -> [DEKIdentity: [UInt8]] {
    let ring = try store.ring()
    let identities = try await store.identities(under: "k", includingDeleted: false)
    return try await withThrowingTaskGroup(of: (DEKIdentity, [UInt8]).self) { group in
      for identity in identities {
        group.addTask {
          (identity, try await ring.openingKey(identity).material.key.withUnsafeBytes { Array($0) })
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  private func arguments(_ more: String...) -> [String] {
    [
      "keys", "rewrap", "k", "--registry", url, "-P", "secret=new", "-P", "old.secrets=old",
      "-P", "\(Self.rate)=1000000", "--json",
    ] + more
  }

  private func counts(_ outcome: Program.Outcome) throws -> (rewrapped: Int, current: Int) {
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let report = try JSONValue(parsing: outcome.output)
    #expect(report["failed"] == [])
    return (try #require(report["rewrapped"]?.integer), try #require(report["current"]?.integer))
  }

  @Test func aKilledRunLeavesEveryDEKOpenableAndTheNextOneFinishes() async throws {
    _ = try await registry.createKEK("k", kmsType: "local-kms", kmsKeyID: "id")
    let old = store(secret: "old")
    for index in 0..<Self.count {
      _ = try await old.createDEK(kek: "k", subject: Subject("s\(index)-value"), algorithm: .aes256GCM)
    }
    let before = try await secrets(with: old)
    #expect(before.count == Self.count)

    let dryRun = try await counts(Program.run(arguments()))
    #expect(dryRun == (Self.count, 0))
    #expect(try await secrets(with: old) == before)

    let process = try Program.Running(arguments("--execute"))
    killer.arm(process)
    let killed = try await process.outcome()
    #expect(killed.exitCode == SIGKILL && killed.output.isEmpty)
    // Whatever it had done, clients that know both secrets open everything.
    #expect(try await secrets(with: store(secret: "new", retired: "old")) == before)

    let second = try await counts(Program.run(arguments("--execute")))
    #expect(second.rewrapped + second.current == Self.count)
    #expect(second.rewrapped > 0 && second.current >= Self.killedAfter - 16)
    #expect(try await secrets(with: store(secret: "new")) == before)
    let third = try await counts(Program.run(arguments("--execute")))
    #expect(third == (0, Self.count))
    print(
      "rewrap: killed after \(Self.killedAfter) of \(Self.count), then \(second.rewrapped) done and \(second.current) skipped"
    )
    await server.stop()
  }
}
