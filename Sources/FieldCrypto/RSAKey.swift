internal import COpenSSL

/// An RSA public key for wrapping small secrets.
package struct RSAPublicKey: Sendable {
  private let key: RSAKeyPointer

  /// The key with this modulus and public exponent, both big-endian, as a JSON Web Key spells them. Throws
  /// ``CryptoError/malformedKey(_:)`` for a modulus of less than 2048 or more than 8192 bits.
  package init(modulus: [UInt8], exponent: [UInt8]) throws(CryptoError) {
    guard (256...1024).contains(modulus.count), (1...8).contains(exponent.count) else {
      throw .malformedKey("an RSA modulus of \(modulus.count) bytes")
    }
    guard let builder = OSSL_PARAM_BLD_new() else { throw .libcrypto("OSSL_PARAM_BLD_new") }
    defer { OSSL_PARAM_BLD_free(builder) }
    let n = BN_bin2bn(modulus, Int32(modulus.count), nil)
    defer { BN_free(n) }
    let e = BN_bin2bn(exponent, Int32(exponent.count), nil)
    defer { BN_free(e) }
    // The builder keeps pointing at the names.
    guard OSSL_PARAM_BLD_push_BN(builder, LibraryParameters.characters("n"), n) == 1,
      OSSL_PARAM_BLD_push_BN(builder, LibraryParameters.characters("e"), e) == 1,
      let parameters = OSSL_PARAM_BLD_to_param(builder)
    else { throw .libcrypto("OSSL_PARAM_BLD") }
    defer { OSSL_PARAM_free(parameters) }
    guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else {
      throw .libcrypto("EVP_PKEY_CTX_new_from_name RSA")
    }
    defer { EVP_PKEY_CTX_free(context) }
    var pointer: OpaquePointer?
    guard EVP_PKEY_fromdata_init(context) == 1,
      EVP_PKEY_fromdata(context, &pointer, reseal_evp_pkey_public_key, parameters) == 1, let pointer
    else {
      ERR_clear_error()
      throw .malformedKey("modulus and exponent are no RSA key")
    }
    key = RSAKeyPointer(pointer)
  }

  /// RSA-OAEP-256 (RFC 8017 with SHA-256, also in MGF1, and an empty label): as many bytes as the modulus has.
  package func encryptOAEP256(_ secret: SecretBytes) throws(CryptoError) -> [UInt8] {
    guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else {
      throw .libcrypto("EVP_PKEY_CTX_new_from_pkey")
    }
    defer { EVP_PKEY_CTX_free(context) }
    guard EVP_PKEY_encrypt_init(context) == 1,
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
      EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1,
      EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1
    else { throw .libcrypto("RSA-OAEP-256") }
    var output = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key.pointer)))
    var count = output.count
    let done = secret.withUnsafeBytes { secret in
      EVP_PKEY_encrypt(
        context, &output, &count, secret.bindMemory(to: UInt8.self).baseAddress, secret.count)
    }
    guard done == 1, count == output.count else {
      ERR_clear_error()
      throw .libcrypto("RSA-OAEP-256")
    }
    return output
  }
}

/// An RSA private key for signing.
package struct RSAPrivateKey: Sendable {
  private let key: RSAKeyPointer

  /// Reads an unencrypted PEM (PKCS#8 or PKCS#1). Throws ``CryptoError/malformedKey(_:)``.
  package init(pem: SecretBytes) throws(CryptoError) {
    let pointer = pem.withUnsafeBytes { pem -> OpaquePointer? in
      guard let source = BIO_new_mem_buf(pem.baseAddress, Int32(pem.count)) else { return nil }
      defer { BIO_free(source) }
      // The callback stands for a passphrase: none, rather than a question on the terminal.
      return PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
    }
    guard let pointer else {
      ERR_clear_error()
      throw .malformedKey("the text is no unencrypted private key in PEM")
    }
    key = RSAKeyPointer(pointer)
    guard EVP_PKEY_get_base_id(pointer) == EVP_PKEY_RSA else { throw .malformedKey("not an RSA key") }
  }

  /// RSASSA-PKCS1-v1_5 with SHA-256, the `RS256` of RFC 7518.
  package func signRS256(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
    guard let context = EVP_MD_CTX_new() else { throw .libcrypto("EVP_MD_CTX_new") }
    defer { EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key.pointer)))
    var count = signature.count
    guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.pointer) == 1,
      EVP_DigestSign(context, &signature, &count, message, message.count) == 1
    else { throw .libcrypto("EVP_DigestSign") }
    return Array(signature.prefix(count))
  }
}

/// The one owner of an `EVP_PKEY`.
///
/// `Sendable`: the key is not changed after it was made, and libcrypto lets threads use one at the same time.
private final class RSAKeyPointer: @unchecked Sendable {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { EVP_PKEY_free(pointer) }
}
