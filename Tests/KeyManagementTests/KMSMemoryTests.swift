import FieldCrypto

import TestSupport
import Testing

@testable import KeyManagement

/// What is left in this process's memory of data keys that went to a key management service and came back; the
/// services are other processes.
struct KMSMemoryTests {
  @Test(arguments: KeyService.allCases)
  func nothingIsLeftOfADataKeyOnceItIsDropped(_ service: KeyService) async throws {
    let key = try await service.account().key("key")
    var needles: [Needle] = []
    for _ in 0..<3 { needles += try await wrapAndUnwrap(with: key) }
    let found = try MemoryScan().find(needles)
    for needle in needles { #expect(found[needle.name, default: 0] == 0, "\(needle.name) is left") }
  }

  private func wrapAndUnwrap(with key: any KeyEncryptionKey) async throws -> [Needle] {
    let secret = try KeyMaterial(generatedFor: .aes256SIV).serialized
    let wrapped = try await key.wrap(secret)
    let unwrapped = try await key.unwrap(wrapped)
    #expect(unwrapped.isEqual(to: secret))
    // Without the field tag and the length in front, which all keys have in common.
    var needles = [unwrapped.withUnsafeBytes { Needle("raw", UnsafeRawBufferPointer(rebasing: $0[2...])) }]
    for (name, encoding) in [("base64", SecretEncoding.base64), ("base64url", .base64URL)] {
      let text = encoding.text(of: secret)
      needles.append(
        text.withUnsafeBytes { Needle(name, UnsafeRawBufferPointer(rebasing: $0[4..<$0.count - 4])) })
    }
    let found = try MemoryScan().find(needles)
    #expect(found["raw", default: 0] > 0, "the scan does not find what is there")
    return needles
  }
}
