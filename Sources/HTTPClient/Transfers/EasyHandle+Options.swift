internal import CCurl

extension EasyHandle {
  /// What is the same for every request of a client.
  func apply(_ configuration: HTTPClient.Configuration) throws(HTTPError) {
    // Signals would hit any thread; the loop's thread blocks SIGPIPE itself.
    try set(CURLOPT_NOSIGNAL, 1)
    // A cancelled or timed-out name look-up would otherwise hold up the whole loop until the system's resolver
    // gives in; this way its thread is let go and ends by itself.
    try set(CURLOPT_QUICK_EXIT, 1)
    try set(CURLOPT_PROTOCOLS_STR, text: "http,https")
    // Not HTTP/2: its buffers, libcurl's and nghttp2's, keep what went through a connection for as long as that
    // lives, key material included, and nobody can reach them to wipe them.
    try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    try set(CURLOPT_FOLLOWLOCATION, 0)
    // CURLOPT_ACCEPT_ENCODING stays unset: libcurl then decodes nothing, so no small answer grows large and no
    // decoder keeps a copy of a body.
    try set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(configuration.connectLimit))
    try set(CURLOPT_TIMEOUT_MS, milliseconds(configuration.totalLimit))
    try set(CURLOPT_USERAGENT, text: configuration.userAgent)
    try applyTrust(configuration)
    if let proxy = configuration.proxyURL {
      try set(CURLOPT_PROXY, text: proxy)
      // The environment's exceptions belong to the environment's proxy.
      try set(CURLOPT_NOPROXY, text: "")
    }
    // A proxy's answer to CONNECT is not the answer.
    try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
  }

  private func applyTrust(_ configuration: HTTPClient.Configuration) throws(HTTPError) {
    try cleanseTLS()
    try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    try set(CURLOPT_SSL_VERIFYPEER, 1)
    try set(CURLOPT_SSL_VERIFYHOST, configuration.verifiesHostname ? 2 : 0)
    if let file = configuration.certificateAuthorityFile {
      try set(CURLOPT_CAINFO, text: file)
      // The directory of the system's authorities stays in force beside a file unless it is taken away.
      try set(CURLOPT_CAPATH, nil)
    }
    if let identity = configuration.clientIdentity {
      try set(CURLOPT_SSLCERT, text: identity.certificateFile)
      try set(CURLOPT_SSLKEY, text: identity.keyFile)
      // An empty one at least, or OpenSSL would ask for it on the terminal.
      try set(CURLOPT_KEYPASSWD, text: identity.keyPassword ?? "")
    }
  }

  /// What this request asks for.
  mutating func apply(_ request: HTTPRequest) throws(HTTPError) {
    try set(CURLOPT_URL, text: request.url)
    try set(CURLOPT_PATH_AS_IS, 1)
    if request.method == .head {
      try set(CURLOPT_NOBODY, 1)
    } else {
      try set(CURLOPT_CUSTOMREQUEST, text: request.method.rawValue)
    }
    if let body = request.body, body.count > 0 {
      try setBody(body)
    } else if request.body != nil || request.method.expectsBody {
      try set(CURLOPT_POSTFIELDSIZE, 0)
      // A null pointer would mean a read function.
      try set(CURLOPT_COPYPOSTFIELDS, text: "")
    }
    try setHeaders(Self.headerLines(request.headers))
  }

  private func setBody(_ body: HTTPBody) throws(HTTPError) {
    // POSTFIELDS rather than a read function: libcurl can then send the body again by itself when a kept
    // connection turns out dead.
    try body.withUnsafeBytes { (bytes) throws(HTTPError) in
      try set(CURLOPT_POSTFIELDSIZE, bytes.count)
      // The pointer outlives this closure: a body never moves, and the transfer holds it.
      try set(CURLOPT_POSTFIELDS, bytes.baseAddress)
    }
  }

  /// The caller's headers, and nothing libcurl would add by itself but Host, User-Agent and Content-Length.
  private static func headerLines(_ headers: HTTPHeaders) -> [String] {
    let own = headers.fields.map { field in
      field.value.contains { $0 != " " && $0 != "\t" } ? "\(field.name): \(field.value)" : "\(field.name);"
    }
    let unwanted = ["Accept", "Content-Type", "Expect"].filter { headers[$0] == nil }
    return own + unwanted.map { "\($0):" }
  }

  /// libcurl counts in whole milliseconds up to 2^31 - 1 and reads 0 as no limit.
  private func milliseconds(_ duration: Duration) -> Int {
    let limit = min(duration, .milliseconds(Int(Int32.max)))
    return max(1, Int(limit / .milliseconds(1)))
  }
}
