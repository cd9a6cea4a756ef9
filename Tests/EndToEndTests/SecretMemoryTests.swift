import FieldCrypto
import Foundation
import Glibc
import JSON
import KeyManagement
import Logging
import SchemaRegistry
import Testing

/// What is left in this process's memory of keys it no longer needs.
///
/// The registry is another process, since the embedded one is not made to forget what it answers.
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
      properties: ["secret": "memory"], log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
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

/// Bytes to look for, kept in a form in which looking does not find them here.
private struct Needle: Sendable {
  static let mask: UInt8 = 0xA7

  let name: String
  let masked: [UInt8]

  init(_ name: String, _ bytes: UnsafeRawBufferPointer) {
    self.name = name
    masked = bytes.map { $0 ^ Self.mask }
  }

  /// The bare key, and the base64 of it and of its serialized form, as bodies carry it.
  static func all(of material: KeyMaterial, named name: String) -> [Needle] {
    var needles = [material.key.withUnsafeBytes { Needle("\(name) raw", $0) }]
    for (form, secret) in [("base64", material.key), ("serialized base64", material.serialized)] {
      let text = secret.withUnsafeBytes { secret in
        SecretBytes(capacity: Base64.encodedCount(secret.count)) { memory in
          Base64.encode(secret, into: memory)
          return memory.count
        }
      }
      // Without what may be padding, and without the first group, which is the same for every serialized key.
      needles.append(
        text.withUnsafeBytes {
          Needle("\(name) \(form)", UnsafeRawBufferPointer(rebasing: $0[4..<$0.count - 4]))
        })
    }
    return needles
  }

  func isAt(_ memory: UnsafePointer<UInt8>) -> Bool {
    for index in masked.indices where memory[index] ^ Self.mask != masked[index] { return false }
    return true
  }
}

/// All readable memory of this process, read through `/proc/self/mem`.
private struct MemoryScan {
  private static let chunk = 1 << 20

  private struct Failure: Error {
    let what: String
  }

  /// How often each needle is there, by name.
  func find(_ needles: [Needle]) throws -> [String: Int] {
    let overlap = needles.map(\.masked.count).max() ?? 0
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.chunk, alignment: 16)
    defer {
      explicit_bzero(buffer, Self.chunk)
      buffer.deallocate()
    }
    let descriptor = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(what: "/proc/self/mem: \(errno)") }
    defer { close(descriptor) }
    let own = UInt(bitPattern: buffer)..<UInt(bitPattern: buffer) + UInt(Self.chunk)
    var found: [String: Int] = [:]
    for region in try Self.regions() {
      var start = region.lowerBound
      while start < region.upperBound {
        let count = min(Self.chunk, Int(region.upperBound - start))
        let read = pread(descriptor, buffer, count, off_t(truncatingIfNeeded: start))
        // Some mappings cannot be read, or went meanwhile.
        guard read > 0 else { break }
        for needle in needles {
          for offset in Self.offsets(of: needle, in: UnsafeRawBufferPointer(start: buffer, count: read))
          where !own.contains(start + UInt(offset)) {
            found[needle.name, default: 0] += 1
          }
        }
        // What was read must not be found when the buffer's own place is reached.
        explicit_bzero(buffer, read)
        guard read == count, read > overlap else { break }
        start += UInt(start + UInt(count) < region.upperBound ? count - overlap : count)
      }
    }
    return found
  }

  private static func regions() throws -> [Range<UInt>] {
    let text = try String(decoding: Data(contentsOf: URL(filePath: "/proc/self/maps")), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count >= 2, fields[1].hasPrefix("r"), !line.hasSuffix("[vvar]"),
        !line.hasSuffix("[vsyscall]")
      else { return nil }
      let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      return ends.count == 2 ? ends[0]..<ends[1] : nil
    }
  }

  /// Looks for one byte of the needle, which is no secret, with the C library, and compares the rest there.
  private static func offsets(of needle: Needle, in memory: UnsafeRawBufferPointer) -> [Int] {
    // Not zero, of which memory is full.
    guard let pivot = needle.masked.firstIndex(where: { $0 != Needle.mask }),
      let base = memory.bindMemory(to: UInt8.self).baseAddress
    else { return [] }
    let byte = Int32(needle.masked[pivot] ^ Needle.mask)
    var offsets: [Int] = []
    var position = pivot
    while position < memory.count, let hit = memchr(base + position, byte, memory.count - position) {
      position = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(hit))
      let start = position - pivot
      if start + needle.masked.count <= memory.count, needle.isAt(base + start) { offsets.append(start) }
      position += 1
    }
    return offsets
  }
}
