import FieldCrypto
import Foundation
import TestSupport
import Testing

/// Checked with the `openssl` tool: it makes the keys, opens what was wrapped and verifies what was signed.
struct RSAKeyTests {
  private let directory: URL

  init() async throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try await openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
    try await openssl("rsa", "-in", "key.pem", "-pubout", "-out", "public.pem")
    try await openssl("rsa", "-in", "key.pem", "-traditional", "-out", "pkcs1.pem")
  }

  private func openssl(_ arguments: String...) async throws {
    try await Command.run(["openssl"] + arguments, in: directory)
  }

  private func file(_ name: String) -> URL { directory.appending(path: name) }

  private func modulus() async throws -> [UInt8] {
    try await openssl("rsa", "-in", "key.pem", "-noout", "-modulus", "-out", "modulus")
    let text = try String(contentsOf: file("modulus"), encoding: .utf8)
    return try #require(Hex.decode(text.dropFirst("Modulus=".count).trimmingCharacters(in: .newlines)))
  }

  @Test func opensslOpensWhatWasWrapped() async throws {
    let key = try RSAPublicKey(modulus: await modulus(), exponent: [1, 0, 1])
    try Data(key.encryptOAEP256(SecretBytes(utf8: "a data key"))).write(to: file("wrapped"))
    try await openssl(
      "pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "wrapped", "-out", "opened", "-pkeyopt",
      "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
    #expect(try String(contentsOf: file("opened"), encoding: .utf8) == "a data key")
  }

  @Test(arguments: ["key.pem", "pkcs1.pem"])
  func opensslVerifiesWhatWasSigned(_ name: String) async throws {
    let pem = try Data(contentsOf: file(name)).withUnsafeBytes { SecretBytes(copying: $0) }
    try Data(RSAPrivateKey(pem: pem).signRS256(Array("message".utf8))).write(to: file("signature"))
    try Data("message".utf8).write(to: file("message"))
    try await openssl("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
  }

  @Test func whatIsNoKeyIsRefused() async throws {
    #expect(throws: CryptoError.self) { try RSAPublicKey(modulus: [1, 2, 3], exponent: [1, 0, 1]) }
    #expect(throws: CryptoError.self) { try RSAPrivateKey(pem: SecretBytes(utf8: "")) }
    #expect(throws: CryptoError.self) {
      try RSAPrivateKey(pem: SecretBytes(utf8: "-----BEGIN PRIVATE KEY-----"))
    }
    try await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.pem")
    let elliptic = try Data(contentsOf: file("ec.pem")).withUnsafeBytes { SecretBytes(copying: $0) }
    #expect(throws: CryptoError.self) { try RSAPrivateKey(pem: elliptic) }
    let key = try RSAPublicKey(modulus: await modulus(), exponent: [1, 0, 1])
    #expect(throws: CryptoError.self) { try key.encryptOAEP256(SecretBytes.random(count: 191)) }
  }
}
