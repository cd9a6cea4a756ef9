/// Where a service of AWS is called.
///
/// `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL_STS` and, for both, `AWS_ENDPOINT_URL` replace the public address, as
/// in AWS's SDKs, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
struct AWSEndpoint: Sendable {
  let url: String
  /// As the `Host` header will say it.
  let host: String
  /// Percent-encoded.
  let path: String

  /// - Parameter service: `kms` or `sts`, in the region of the key.
  init(_ service: String, of arn: AWSKeyARN, host: Host) throws(ServiceFailure) {
    let ignored = host["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() == "true"
    let configured =
      ignored ? nil : host["AWS_ENDPOINT_URL_\(service.uppercased())"] ?? host["AWS_ENDPOINT_URL"]
    if let configured {
      try self.init(url: configured)
    } else {
      guard let domain = Self.domains[arn.partition] else {
        throw ServiceFailure(.configuration, "the ARN's partition \(arn.partition) is not known")
      }
      try self.init(url: "https://\(service).\(arn.region).\(domain)")
    }
  }

  init(url: String) throws(ServiceFailure) {
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[0] == "https:" || parts[0] == "http:", !parts[2].isEmpty,
      !url.contains("?"), !url.contains("#"), !parts[2].contains("@")
    else { throw ServiceFailure(.configuration, "an AWS endpoint must be a URL such as https://host") }
    path = "/" + (parts.count > 3 ? String(parts[3]) : "")
    // The default port is never sent.
    let defaultPort = parts[0] == "https:" ? ":443" : ":80"
    host = String(parts[2].hasSuffix(defaultPort) ? parts[2].dropLast(defaultPort.count) : parts[2])
    self.url = "\(parts[0])//\(host)\(path)"
  }

  private static let domains = [
    "aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov", "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov", "aws-eusc": "amazonaws.eu",
  ]
}
