internal import CCurl

/// One libcurl easy handle with the memory it borrows for as long as it lives: its header lines and error text.
struct EasyHandle: ~Copyable {
  let pointer: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>
  private var headerLines: UnsafeMutablePointer<curl_slist>?

  init() throws(HTTPError) {
    guard let pointer = curl_easy_init() else { throw HTTPError(.libcurl, "curl_easy_init failed") }
    let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    guard reseal_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText) == CURLE_OK else {
      curl_easy_cleanup(pointer)
      errorText.deallocate()
      throw HTTPError(.libcurl, "libcurl refused an error buffer")
    }
    self.pointer = pointer
    self.errorText = errorText
  }

  deinit {
    curl_easy_cleanup(pointer)
    curl_slist_free_all(headerLines)
    errorText.deallocate()
  }

  func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
    try check(reseal_curl_set_long(pointer, option, value), option)
  }

  /// libcurl copies the text.
  func set(_ option: CURLoption, text: String) throws(HTTPError) {
    try check(text.withCString { reseal_curl_set_pointer(pointer, option, $0) }, option)
  }

  /// libcurl keeps the pointer: what it points at outlives the handle's use.
  func set(_ option: CURLoption, _ value: UnsafeRawPointer?) throws(HTTPError) {
    try check(reseal_curl_set_pointer(pointer, option, value), option)
  }

  /// Has libssl overwrite what it decrypted as soon as libcurl has it; without that the last answer's bytes stay in
  /// a connection that is kept.
  func cleanseTLS() throws(HTTPError) {
    try check(reseal_curl_cleanse_tls(pointer), CURLOPT_SSL_CTX_FUNCTION)
  }

  func set(
    _ option: CURLoption,
    callback: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int
  ) throws(HTTPError) {
    try check(reseal_curl_set_callback(pointer, option, callback), option)
  }

  /// Each line is `Name: value`, `Name;` for an empty value or `Name:` to hold libcurl's own header back.
  mutating func setHeaders(_ lines: [String]) throws(HTTPError) {
    for line in lines {
      guard let longer = curl_slist_append(headerLines, line) else {
        throw HTTPError(.libcurl, "curl_slist_append failed")
      }
      headerLines = longer
    }
    try set(CURLOPT_HTTPHEADER, headerLines)
  }

  /// 0 when libcurl has nothing to say.
  func number(_ info: CURLINFO) -> Int {
    var value = 0
    return reseal_curl_get_long(pointer, info, &value) == CURLE_OK ? value : 0
  }

  /// libcurl's own sentence about the failure; it can quote almost anything.
  var message: String { String(cString: errorText) }

  private func check(_ code: CURLcode, _ option: CURLoption) throws(HTTPError) {
    guard code == CURLE_OK else {
      throw HTTPError(.libcurl, "libcurl refused option \(option.rawValue): \(CurlLibrary.text(code))")
    }
  }
}
