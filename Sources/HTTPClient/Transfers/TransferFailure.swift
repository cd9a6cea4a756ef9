internal import CCurl
internal import Glibc

/// What a libcurl result code means, in words without secrets.
struct TransferFailure {
  let reason: HTTPError.Reason
  let detail: String

  init(_ code: CURLcode, _ handle: borrowing EasyHandle) {
    let proxyStatus = handle.number(CURLINFO_HTTP_CONNECTCODE)
    guard proxyStatus < 300 else {
      reason = .cannotConnect
      detail = "the proxy answered \(proxyStatus) to CONNECT"
      return
    }
    let reason = Self.reason(of: code)
    self.reason = reason
    if Self.mayQuote(handle.message, of: code) {
      detail = Self.printable(handle.message)
    } else {
      let systemError = Int32(truncatingIfNeeded: handle.number(CURLINFO_OS_ERRNO))
      let cause = systemError == 0 ? "" : ": \(String(cString: strerror(systemError)))"
      detail = CurlLibrary.text(code) + cause
    }
  }

  static func reason(of code: CURLcode) -> HTTPError.Reason {
    switch code {
    case CURLE_URL_MALFORMAT: .invalidRequest
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .cannotResolve
    case CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR, CURLE_PROXY: .cannotConnect
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
      .tls
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
      .connectionLost
    // The scheme was checked before: only an answer in another protocol, such as HTTP/0.9, is left.
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: .malformedAnswer
    default: .libcurl
    }
  }

  /// libcurl's sentences can quote a proxy URL with its password or a server's header. Those about TLS and time
  /// are made of host names, file names, numbers and OpenSSL's fixed texts, and are worth having.
  private static func mayQuote(_ message: String, of code: CURLcode) -> Bool {
    switch code {
    case CURLE_SSL_CONNECT_ERROR: !message.isEmpty
    // Among them alerts, such as "certificate required".
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR: message.hasPrefix("OpenSSL SSL_")
    default: !message.isEmpty && [.tls, .timedOut].contains(reason(of: code))
    }
  }

  /// Names in a server's certificate may hold anything.
  private static func printable(_ message: String) -> String {
    String(decoding: message.utf8.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }
}
