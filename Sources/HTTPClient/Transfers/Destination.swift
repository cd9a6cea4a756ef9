internal import CCurl

/// Where a request goes, in a form fit for errors and logs: `scheme://host:port/path`, without user information,
/// query and fragment.
struct Destination: Sendable, CustomStringConvertible {
  let description: String

  /// Reads `url` with libcurl's own parser, so that what is named is what will be called.
  /// Throws ``HTTPError/Reason/invalidRequest``; the text does not quote the URL, whose parts are then unclear.
  init(url: String) throws(HTTPError) {
    // Anything else would be encoded, cut off or guessed at by libcurl.
    guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw HTTPError(.invalidRequest, "the URL holds characters that must be percent-encoded")
    }
    let parsed = try ParsedURL(url, flags: CURLU_PATH_AS_IS, called: "URL")
    guard let scheme = parsed[CURLUPART_SCHEME], scheme == "http" || scheme == "https" else {
      throw HTTPError(.invalidRequest, "the URL must start with http:// or https://")
    }
    let port = parsed[CURLUPART_PORT].map { ":\($0)" } ?? ""
    description = "\(scheme)://\(parsed[CURLUPART_HOST] ?? "")\(port)\(parsed[CURLUPART_PATH] ?? "")"
  }

  /// Throws ``HTTPError/Reason/invalidRequest`` for a proxy that libcurl could not use. Its own message would
  /// quote the URL with the credentials in it.
  static func checkProxy(_ url: String) throws(HTTPError) {
    let parsed = try ParsedURL(url, flags: CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME, called: "proxy URL")
    let schemes: Set = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]
    guard let scheme = parsed[CURLUPART_SCHEME], schemes.contains(scheme) else {
      throw HTTPError(.invalidRequest, "the proxy URL must start with http://, https:// or socks5://")
    }
  }
}

/// One libcurl URL handle: created, asked and freed here.
private struct ParsedURL: ~Copyable {
  private let handle: OpaquePointer

  init(_ url: String, flags: Int32, called name: String) throws(HTTPError) {
    try CurlLibrary.prepare()
    guard let handle = curl_url() else { throw HTTPError(.libcurl, "curl_url failed") }
    let code = curl_url_set(handle, CURLUPART_URL, url, UInt32(flags))
    guard code == CURLUE_OK else {
      curl_url_cleanup(handle)
      throw HTTPError(
        .invalidRequest, "the \(name) cannot be read: \(String(cString: curl_url_strerror(code)))")
    }
    self.handle = handle
  }

  deinit { curl_url_cleanup(handle) }

  subscript(_ part: CURLUPart) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard curl_url_get(handle, part, &text, UInt32(CURLU_PATH_AS_IS)) == CURLUE_OK, let text else {
      return nil
    }
    defer { curl_free(text) }
    return String(cString: text)
  }
}
