import FieldCrypto
import Foundation
import JSON
import KeyManagement
import SchemaRegistry
import TestSupport
import Testing

/// What is left in this process's memory of keys it no longer needs.
///
/// The registry is another process, since the embedded one is not made to forget what it answers.
@Suite(.timeLimit(.minutes(15)))
struct SecretMemoryTests {
  @Test func nothingIsLeftOfKeysThatARingHasDropped() async throws {
    let sandbox = try Program.Running(["sandbox", "--json"], environment: ["LOCAL_SECRET": "memory"])
    defer { sandbox.kill() }
    let addresses = try await JSONValue(parsing: sandbox.firstLine())
    let url = try #require(addresses["schemaRegistryUrl"]?.string)
    let registry = DEKRegistryClient(try RegistryTransport(RegistrySettings(["url": url], at: "$")))
    _ = try await registry.createKEK("shared", kmsType: "local-kms", kmsKeyID: "id", isShared: true)
    _ = try await registry.createKEK("own", kmsType: "local-kms", kmsKeyID: "id")

    var needles: [Needle] = []
    for kek in ["shared", "own"] {
      for algorithm in DEKAlgorithm.allCases {
        needles += try await needlesOfDroppedKey(kek, algorithm, registry)
      }
    }
    // The request that a client makes of a registry without key material to hide is not looked for.
    let found = try MemoryScan().find(needles)
    for needle in needles { #expect(found[needle.name, default: 0] == 0, "\(needle.name) is left") }
  }

  /// Makes a key, has another client fetch it, seals and opens with it, and lets go of all of it.
  private func needlesOfDroppedKey(
    _ kek: String, _ algorithm: DEKAlgorithm, _ registry: DEKRegistryClient
  ) async throws -> [Needle] {
    let store = KeyStore(
      registry: registry, drivers: KMSDrivers([LocalKMS(environment: [:])]),
      properties: ["secret": "memory"], log: silentLog)
    let ring = try store.ring()
    let made = try await store.createDEK(
      kek: kek, subject: Subject("s-value"), algorithm: algorithm)
    let key = try await ring.openingKey(made.identity)
    try use(key)
    let needles = Needle.all(of: key.material, named: "\(kek) \(algorithm.rawValue)")
    // As long as the ring has it, a scan must find it: otherwise finding nothing means nothing.
    let found = try MemoryScan().find(needles)
    #expect(found[needles[0].name, default: 0] > 0, "the scan does not find what is there")
    await ring.forgetAll()
    return needles
  }

  private func use(_ key: DataKey) throws {
    let cipher = try FieldCipher(key.material, ivs: IVSource())
    let opened = try cipher.open(cipher.seal([1, 2, 3]))
    #expect(opened == [1, 2, 3])
  }
}

extension Needle {
  /// The bare key, and the base64 of it and of its serialized form, as bodies carry it.
  fileprivate static func all(of material: KeyMaterial, named name: String) -> [Needle] {
    var needles = [material.key.withUnsafeBytes { Needle("\(name) raw", $0) }]
    for (form, secret) in [("base64", material.key), ("serialized base64", material.serialized)] {
      let text = secret.withUnsafeBytes { Base64.encodeSecret($0) }
      // Without what may be padding, and without the first group, which is the same for every serialized key.
      needles.append(
        text.withUnsafeBytes {
          Needle("\(name) \(form)", UnsafeRawBufferPointer(rebasing: $0[4..<$0.count - 4]))
        })
    }
    return needles
  }
}
