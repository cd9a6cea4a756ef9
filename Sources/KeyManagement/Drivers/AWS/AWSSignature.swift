internal import FieldCrypto
internal import HTTPClient

/// Signature Version 4 of AWS, in a header, for requests without a query.
struct AWSSignature {
  let credentials: AWSCredentials
  let region: String
  let service: String
  /// Seconds since 1970; AWS accepts five minutes of difference.
  var time = Host.now()

  /// `headers` with the ones that sign the request: `X-Amz-Date`, `X-Amz-Security-Token` and `Authorization`.
  func headers(
    _ method: HTTPRequest.Method, _ endpoint: AWSEndpoint, _ headers: HTTPHeaders, _ body: HTTPBody?
  ) throws(ServiceFailure) -> HTTPHeaders {
    do throws(CryptoError) {
      var headers = headers
      let date = Host.time(ofSeconds: time).filter { $0 != "-" && $0 != ":" }
      headers.append("X-Amz-Date", date)
      if let token = credentials.sessionToken { headers.append("X-Amz-Security-Token", token) }
      let signed = (headers.fields.map { ($0.name.lowercased(), $0.value) } + [("host", endpoint.host)])
        .sorted { $0.0 < $1.0 }
      let names = signed.map(\.0).joined(separator: ";")
      let request = [
        method.rawValue, endpoint.path, "", signed.map { "\($0.0):\($0.1)\n" }.joined(), names,
        Hex.encode(try digest(body)),
      ].joined(separator: "\n")
      let scope = "\(date.prefix(8))/\(region)/\(service)/aws4_request"
      let text = [
        "AWS4-HMAC-SHA256", date, scope, Hex.encode(try Digest.sha256(Array(request.utf8))),
      ].joined(separator: "\n")
      let signature = try mac(text, try signingKey(day: String(date.prefix(8))))
      headers.append(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), "
          + "Signature=\(signature.withUnsafeBytes { Hex.encode($0) })")
      return headers
    } catch {
      throw ServiceFailure(error)
    }
  }

  /// The key for one day, region and service.
  func signingKey(day: String) throws(CryptoError) -> SecretBytes {
    let ofDay = try mac(day, credentials.prefixedSecret)
    return try mac("aws4_request", try mac(service, try mac(region, ofDay)))
  }

  private func mac(_ text: String, _ key: SecretBytes) throws(CryptoError) -> SecretBytes {
    try Digest.hmacSHA256(Array(text.utf8), key: key)
  }

  private func digest(_ body: HTTPBody?) throws(CryptoError) -> [UInt8] {
    guard let body else { return try Digest.sha256([]) }
    return try body.withUnsafeBytes { (bytes) throws(CryptoError) in try Digest.sha256(bytes) }
  }
}
