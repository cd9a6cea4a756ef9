/// The TLS settings for a Vault server, under the names of both client families.
///
/// | property | environment | |
/// |---|---|---|
/// | `ssl.ca.location` | `VAULT_CACERT` | PEM file of authorities, instead of the system's |
/// | `ssl.certificate.location`, `ssl.key.location` | `VAULT_CLIENT_CERT`, `VAULT_CLIENT_KEY` | PEM files; a file with both needs no key location |
/// | `ssl.truststore.location` | `VAULT_SSL_TRUSTSTORE_LOCATION` | as `ssl.ca.location`; only PEM |
/// | `ssl.keystore.location`, `ssl.keystore.password` | `VAULT_SSL_KEYSTORE_LOCATION`, `VAULT_SSL_KEYSTORE_PASSWORD` | certificate and key in one PEM file |
struct VaultConnection {
  let http: ServiceClient.Connection

  init(_ properties: [String: String], host: Host) throws(ServiceFailure) {
    func setting(_ property: String, _ variable: String) -> String? {
      host.setting(property, of: properties, or: variable)
    }
    var http = host.connection
    if let file = setting("ssl.truststore.location", "VAULT_SSL_TRUSTSTORE_LOCATION") {
      http.certificateAuthorityFile = try Self.pem(file, "ssl.truststore.location", host)
    }
    if let file = setting("ssl.keystore.location", "VAULT_SSL_KEYSTORE_LOCATION") {
      http.certificateFile = try Self.pem(file, "ssl.keystore.location", host)
      http.keyPassword = setting("ssl.keystore.password", "VAULT_SSL_KEYSTORE_PASSWORD")
    }
    if let file = setting("ssl.ca.location", "VAULT_CACERT") { http.certificateAuthorityFile = file }
    let key = setting("ssl.key.location", "VAULT_CLIENT_KEY")
    if let file = setting("ssl.certificate.location", "VAULT_CLIENT_CERT") {
      http.certificateFile = file
      http.keyFile = key
    } else if key != nil {
      throw ServiceFailure(.configuration, "ssl.key.location needs ssl.certificate.location beside it")
    }
    self.http = http
  }

  private static func pem(_ file: String, _ name: String, _ host: Host) throws(ServiceFailure) -> String {
    guard try host.token(inFile: file).contains("-----BEGIN ") else {
      throw ServiceFailure(
        .configuration,
        "\(name) is no PEM file; Java keystores (JKS, PKCS#12) are not read: convert it, or use "
          + "ssl.ca.location and ssl.certificate.location")
    }
    return file
  }
}
