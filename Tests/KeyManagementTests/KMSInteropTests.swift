import FieldCrypto
import TestSupport
import Testing

@testable import KeyManagement

/// Data keys go back and forth between these drivers and those of the genuine Python client.
@Suite(.timeLimit(.minutes(15)))
struct KMSInteropTests {
  @Test(arguments: KeyService.allCases)
  func theGenuineClientUnwrapsWhatIsWrappedHere(_ service: KeyService) async throws {
    let account = try await service.account()
    let serialized = try KeyMaterial(generatedFor: .aes256SIV).serialized
    let wrapped = try await account.key("key").wrap(serialized)
    #expect(try await KeyServers.genuine(.unwrap, account, "key", wrapped) == serialized.bytes)
  }

  @Test(arguments: KeyService.allCases)
  func whatTheGenuineClientWrappedUnwrapsHere(_ service: KeyService) async throws {
    let account = try await service.account()
    let serialized = try KeyMaterial(generatedFor: .aes256GCM).serialized
    let wrapped = try await KeyServers.genuine(.wrap, account, "key", serialized.bytes)
    #expect(try await account.key("key").unwrap(wrapped).bytes == serialized.bytes)
  }
}
