internal import COpenSSL

/// The parameter arrays of libcrypto 3, whose entries point at names and values without owning them.
enum LibraryParameters {
  /// A text parameter. Name and value are static, so the pointers inside stay valid.
  static func text(_ name: StaticString, _ value: StaticString) -> OSSL_PARAM {
    OSSL_PARAM_construct_utf8_string(characters(name), UnsafeMutablePointer(mutating: characters(value)), 0)
  }

  /// A bytes parameter, valid as long as `bytes` is. Absent bytes stand as an empty value.
  static func bytes(_ name: StaticString, _ bytes: UnsafeRawBufferPointer) -> OSSL_PARAM {
    // libcrypto refuses a null address even for an empty value.
    let address = bytes.baseAddress ?? UnsafeRawPointer(name.utf8Start)
    return OSSL_PARAM_construct_octet_string(
      characters(name), UnsafeMutableRawPointer(mutating: address), bytes.count)
  }

  /// A text that libcrypto may keep pointing at.
  static func characters(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
