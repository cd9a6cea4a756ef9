package import Configuration
package import HTTPClient
internal import Foundation

/// How to reach a registry, from the property names of Confluent's own clients (specification section B.8).
package struct RegistrySettings: Sendable {
  package enum Credentials: Sendable {
    case basic(user: String, password: String)
    case bearer(token: String)
  }

  package struct Address: Sendable {
    /// Without user information and trailing slashes.
    package let url: String
    /// What its own user information says where nothing is said for all.
    package let credentials: Credentials?
  }

  /// Tried in order.
  package let addresses: [Address]
  /// Further headers of every request.
  package let headers: [(name: String, value: String)]
  package let http: HTTPClient.Configuration
  package let retry: RetryPolicy

  /// Reads properties, with or without the prefix `schema.registry.`, or says what is wrong with them. `path`
  /// is the JSON path of the properties.
  package init(_ given: [String: String], at path: String) throws(InvalidSettings) {
    var reader = PropertyReader(given: Self.withoutPrefix(given), path: path)
    let addresses = Self.addresses(&reader)
    let common = Self.commonCredentials(&reader)
    self.addresses = addresses.map { Address(url: $0.url, credentials: common ?? $0.credentials) }
    headers = Self.headers(&reader)
    http = Self.http(&reader)
    retry = Self.retry(&reader)
    if !reader.problems.isEmpty { throw InvalidSettings(problems: reader.problems) }
  }

  private static func withoutPrefix(_ properties: [String: String]) -> [String: String] {
    var plain = properties
    for (name, value) in properties where name.hasPrefix("schema.registry.") {
      plain[name] = nil
      plain[String(name.dropFirst("schema.registry.".count))] = value
    }
    return plain
  }
}

/// Everything wrong with a group of properties.
package struct InvalidSettings: Error {
  package let problems: [Problem]
}

/// Takes properties one by one and collects complaints.
struct PropertyReader {
  let given: [String: String]
  let path: String
  var problems: [Problem] = []

  subscript(name: String) -> String? { given[name].flatMap { $0.isEmpty ? nil : $0 } }

  mutating func complain(_ name: String, _ message: String) {
    problems.append(Problem(JSONPath.child(name, of: path), message))
  }

  mutating func milliseconds(_ name: String, default fallback: Duration) -> Duration {
    guard let text = self[name] else { return fallback }
    guard let number = Int(text), number >= 0 else {
      complain(name, "must be a number of milliseconds")
      return fallback
    }
    return .milliseconds(number)
  }
}

// MARK: - Parts

extension RegistrySettings {
  private static func addresses(_ reader: inout PropertyReader) -> [Address] {
    guard let list = reader["url"] else {
      reader.complain("url", "is missing")
      return []
    }
    return list.split(separator: ",").compactMap { part in
      let text = part.trimmingCharacters(in: .whitespaces)
      guard let url = URLComponents(string: text), url.scheme == "http" || url.scheme == "https",
        url.host?.isEmpty == false, url.query == nil
      else {
        reader.complain("url", "must be a comma-separated list of http:// or https:// addresses")
        return nil
      }
      var bare = url
      bare.user = nil
      bare.password = nil
      var address = bare.string ?? text
      while address.hasSuffix("/") { address.removeLast() }
      let own = url.user.map { Credentials.basic(user: $0, password: url.password ?? "") }
      return Address(url: address, credentials: own)
    }
  }

  /// What holds for every address; `nil` when each has its own.
  private static func commonCredentials(_ reader: inout PropertyReader) -> Credentials? {
    if let source = reader["bearer.auth.credentials.source"], source != "STATIC_TOKEN" {
      reader.complain("bearer.auth.credentials.source", "\(source) is not supported; STATIC_TOKEN is")
    }
    if let token = reader["bearer.auth.token"] { return .bearer(token: token) }
    let source = reader["basic.auth.credentials.source"]
    switch source ?? (reader["basic.auth.user.info"] == nil ? "URL" : "USER_INFO") {
    case "USER_INFO":
      guard let text = reader["basic.auth.user.info"] else {
        reader.complain("basic.auth.user.info", "is missing")
        return nil
      }
      return basic(text, &reader)
    case "URL": return nil
    case let other:
      reader.complain("basic.auth.credentials.source", "\(other) is not supported; URL and USER_INFO are")
      return nil
    }
  }

  /// Split at the first colon.
  private static func basic(_ userInfo: String, _ reader: inout PropertyReader) -> Credentials? {
    guard let colon = userInfo.firstIndex(of: ":") else {
      reader.complain("basic.auth.user.info", "must be user:password")
      return nil
    }
    return .basic(
      user: String(userInfo[..<colon]), password: String(userInfo[userInfo.index(after: colon)...]))
  }

  private static func headers(_ reader: inout PropertyReader) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    if let cluster = reader["bearer.auth.logical.cluster"] { headers.append(("target-sr-cluster", cluster)) }
    if let pool = reader["bearer.auth.identity.pool.id"] {
      headers.append(("Confluent-Identity-Pool-Id", pool))
    }
    for (name, value) in reader.given.sorted(by: { $0.key < $1.key }) where name.hasPrefix("request.header.")
    {
      headers.append((String(name.dropFirst("request.header.".count)), value))
    }
    return headers
  }

  private static func http(_ reader: inout PropertyReader) -> HTTPClient.Configuration {
    var http = HTTPClient.Configuration()
    http.certificateAuthorityFile = reader["ssl.ca.location"]
    switch (reader["ssl.certificate.location"], reader["ssl.key.location"]) {
    case (let certificate?, let key?):
      http.clientIdentity = .init(
        certificateFile: certificate, keyFile: key, keyPassword: reader["ssl.key.password"])
    case (nil, nil): break
    default: reader.complain("ssl.certificate.location", "and ssl.key.location go together")
    }
    if reader.given["ssl.endpoint.identification.algorithm"] == "" { http.verifiesHostname = false }
    if let host = reader["proxy.host"] {
      http.proxyURL = "http://\(host)\(reader["proxy.port"].map { ":\($0)" } ?? "")"
    }
    for store in ["ssl.truststore.location", "ssl.keystore.location"] where reader[store] != nil {
      reader.complain(
        store,
        "Java key stores cannot be read; export PEM files and name them with ssl.ca.location, ssl.certificate.location and ssl.key.location"
      )
    }
    http.totalLimit = reader.milliseconds("http.read.timeout.ms", default: http.totalLimit)
    http.connectLimit = reader.milliseconds("http.connect.timeout.ms", default: http.connectLimit)
    return http
  }

  private static func retry(_ reader: inout PropertyReader) -> RetryPolicy {
    var policy = RetryPolicy()
    if let text = reader["max.retries"] {
      if let retries = Int(text), (0...1_000).contains(retries) {
        policy.attempts = retries + 1
      } else {
        reader.complain("max.retries", "must be from 0 to 1000")
      }
    }
    policy.baseDelay = reader.milliseconds("retries.wait.ms", default: policy.baseDelay)
    policy.maximumDelay = reader.milliseconds("retries.max.wait.ms", default: policy.maximumDelay)
    return policy
  }
}

// MARK: - Description

extension RegistrySettings {
  /// The properties understood, for validation and the published schema.
  package static let shape = PropertiesShape(
    known: properties + properties.map { .init("schema.registry.\($0.name)", $0.documentation) }
      + SerdeSettings.properties,
    prefixes: [.init("request.header.", "A header to send with every request.")])

  private static let properties: [PropertiesShape.Property] = [
    .init("url", "Addresses of the registry, comma separated; the next one is tried when one fails."),
    .init(
      "basic.auth.credentials.source",
      "Where user and password come from: URL (each address has its own) or USER_INFO (for all of them)."),
    .init("basic.auth.user.info", "user:password for basic authentication."),
    .init("bearer.auth.credentials.source", "STATIC_TOKEN."),
    .init("bearer.auth.token", "Token for bearer authentication."),
    .init("bearer.auth.logical.cluster", "Sent as target-sr-cluster."),
    .init("bearer.auth.identity.pool.id", "Sent as Confluent-Identity-Pool-Id."),
    .init("ssl.ca.location", "PEM file of the certificate authorities to trust."),
    .init("ssl.certificate.location", "PEM file of the client certificate."),
    .init("ssl.key.location", "PEM file of the client certificate's key."),
    .init("ssl.key.password", "Password of the key file."),
    .init(
      "ssl.endpoint.identification.algorithm", "Empty: do not compare the certificate with the host name."),
    .init("ssl.truststore.location", "Not readable here; use ssl.ca.location."),
    .init("ssl.keystore.location", "Not readable here; use ssl.certificate.location and ssl.key.location."),
    .init("proxy.host", "Host of an HTTP proxy."),
    .init("proxy.port", "Port of the proxy."),
    .init("max.retries", "Further attempts per address after a failure that may pass (default 3)."),
    .init("retries.wait.ms", "Longest first wait before another attempt (default 1000)."),
    .init("retries.max.wait.ms", "Longest wait before another attempt (default 20000)."),
    .init("http.connect.timeout.ms", "Time limit for a connection (default 10000)."),
    .init("http.read.timeout.ms", "Time limit for a request (default 60000)."),
  ]
}
