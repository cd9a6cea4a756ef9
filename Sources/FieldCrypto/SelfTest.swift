/// Known answers that the loaded libcrypto must give before any record is touched.
///
/// A library can be present and wrong: releases before 3.0.10 ignore an empty associated-data string in
/// AES-SIV (CVE-2023-2975), which would write fields no other client can open.
package enum SelfTest {
  /// Throws ``CryptoError/library(_:)`` naming the algorithm whose answer is wrong.
  package static func run() throws(CryptoError) {
    for answer in knownAnswers where try !isGiven(answer) {
      throw .libcrypto("the known-answer test of \(answer.algorithm.rawValue)")
    }
  }

  /// One message made with Tink by a genuine client, in hexadecimal.
  private struct KnownAnswer: Sendable {
    let algorithm: DEKAlgorithm
    let key: String
    let plaintext: String
    let sealed: String
  }

  private static func isGiven(_ answer: KnownAnswer) throws(CryptoError) -> Bool {
    guard let key = Hex.decode(answer.key), let plaintext = Hex.decode(answer.plaintext),
      let sealed = Hex.decode(answer.sealed)
    else { return false }
    let bareKey = key.withUnsafeBytes { SecretBytes(copying: $0) }
    let cipher = try FieldCipher(KeyMaterial(bareKey: bareKey, for: answer.algorithm), ivs: IVSource())
    guard try cipher.open(sealed) == plaintext else { return false }
    guard answer.algorithm.isDeterministic else { return true }
    return try cipher.seal(plaintext) == sealed
  }

  private static let knownAnswers = [
    KnownAnswer(
      algorithm: .aes128GCM,
      key: "e302e63ed778a1a279308b4cf348dc9b",
      plaintext: "e4bda0e5a5bd20e2988320f09f9492",
      sealed: "949770e20fd629e0090905e74e2b0dd17aabb00ba4e70b49096b00744b00805c3e1b7fb1ec413aff3cdcc6"),
    KnownAnswer(
      algorithm: .aes256GCM,
      key: "9d4c5030c2b144bc913327f49251e7e4e53dcc3fcb03203717a31845b5f22cbf",
      plaintext: "e4bda0e5a5bd20e2988320f09f9492",
      sealed: "9dd13e11cd50cda38dfe412ce6026686dc0def3369a41691e150ffb4c21e2313108cb5bb89fdbd6134fbba"),
    KnownAnswer(
      algorithm: .aes256SIV,
      key: "8e7563cba84cdf6ba24d20df220728e9146b93c7d66b2cd3d4a6ab9eba906583"
        + "a821e336bf0aeb79e496e8d99075d90d5955049f56f425a6092225e0a99c8a51",
      plaintext: "",
      sealed: "79d4aefdf96f45b7bfda9bcc8e98743d"),
    KnownAnswer(
      algorithm: .aes256SIV,
      key: "565be0c81db9afc5b170fa05737476ed2349d789a418176d30a93b87f180652a"
        + "2a14980a0448e99263f657a62092bf3520781e8808e45a15ceb52de4fb84d662",
      plaintext: "e4bda0e5a5bd20e2988320f09f9492",
      sealed: "77ba7bcca88a5d9cac214baa714973845ebad845586670e20b453eb388b028"),
  ]
}
