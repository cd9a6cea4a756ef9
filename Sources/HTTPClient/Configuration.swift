extension HTTPClient {
  /// How one client connects, and how much it takes from a server.
  ///
  /// The server's certificate chain is always verified; nothing turns that off.
  package struct Configuration: Sendable, CustomStringConvertible {
    /// PEM file of the certificate authorities to trust **instead of** the system's.
    package var certificateAuthorityFile: String?
    /// Whom to be when a server asks for a client certificate.
    package var clientIdentity: ClientIdentity?
    /// `false` accepts a trusted certificate made out to another host, as Confluent's clients do under
    /// `ssl.endpoint.identification.algorithm=` (empty). Whoever holds any certificate of a trusted authority
    /// can then pose as the server.
    package var verifiesHostname = true
    /// Such as `http://proxy.example:3128`; may hold credentials. `nil` leaves libcurl's default, the
    /// environment (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`). A URL overrides all of these for
    /// every host; an empty string means no proxy whatever the environment says. A proxy reached over `https` is
    /// verified against the system's authorities.
    package var proxyURL: String?
    /// To resolve, connect and shake hands. Counts within `totalLimit`.
    package var connectLimit: Duration = .seconds(10)
    /// From the start of an attempt to the last byte of its answer; waiting for a free place does not count.
    package var totalLimit: Duration = .seconds(60)
    /// Of an answer's body; one byte more ends the transfer.
    package var maximumBodyBytes = 16 << 20
    /// Of all header lines of one answer together, interim answers and trailers included.
    package var maximumHeaderBytes = 64 << 10
    /// More requests than this wait in the order they came. Also the number of connections kept open.
    package var maximumConcurrentRequests = 64
    package var userAgent = "reseal"

    package init() {}

    /// A certificate and its private key, in PEM files.
    package struct ClientIdentity: Sendable, CustomStringConvertible {
      /// The certificate, then any intermediate ones.
      package var certificateFile: String
      package var keyFile: String
      /// Of the key file, when it is encrypted.
      package var keyPassword: String?

      package init(certificateFile: String, keyFile: String, keyPassword: String? = nil) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.keyPassword = keyPassword
      }

      /// Without the password.
      package var description: String { "ClientIdentity(\(certificateFile), \(keyFile))" }
    }

    /// Without proxy and key password, which may be credentials.
    package var description: String {
      "HTTPClient.Configuration(CA: \(certificateAuthorityFile ?? "system"), at most "
        + "\(maximumConcurrentRequests) requests)"
    }

    /// Throws ``HTTPError/Reason/invalidRequest``, without quoting what may be a credential.
    func check() throws(HTTPError) {
      guard maximumConcurrentRequests > 0 else {
        throw HTTPError(.invalidRequest, "at least one request must be allowed at a time")
      }
      guard maximumBodyBytes >= 0, maximumHeaderBytes > 0 else {
        throw HTTPError(.invalidRequest, "a size limit is negative")
      }
      guard connectLimit > .zero, totalLimit > .zero else {
        throw HTTPError(.invalidRequest, "a time limit must be longer than nothing")
      }
      guard HTTPHeaders.Field.isSafe(userAgent) else {
        throw HTTPError(.invalidRequest, "the user agent holds a control character")
      }
      if let proxyURL, !proxyURL.isEmpty { try Destination.checkProxy(proxyURL) }
    }
  }
}
