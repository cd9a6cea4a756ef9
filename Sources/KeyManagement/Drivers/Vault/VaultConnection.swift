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
    func pem(_ property: String, _ variable: String) throws(ServiceFailure) -> String? {
      guard let file = host.setting(property, of: properties, or: variable) else { return nil }
      guard try host.token(inFile: file).contains("-----BEGIN ") else {
        throw ServiceFailure(
          .configuration,
          "\(property) is no PEM file; Java keystores (JKS, PKCS#12) are not read: convert it, or use "
            + "ssl.ca.location and ssl.certificate.location")
      }
      return file
    }
    var http = host.connection
    let store = try pem("ssl.truststore.location", "VAULT_SSL_TRUSTSTORE_LOCATION")
    let authorities = try pem("ssl.ca.location", "VAULT_CACERT")
    http.certificateAuthorityFile = authorities ?? store ?? http.certificateAuthorityFile
    let key = try pem("ssl.key.location", "VAULT_CLIENT_KEY")
    if let certificate = try pem("ssl.certificate.location", "VAULT_CLIENT_CERT") {
      http.certificateFile = certificate
      http.keyFile = key
    } else if key != nil {
      throw ServiceFailure(.configuration, "ssl.key.location needs ssl.certificate.location beside it")
    } else if let store = try pem("ssl.keystore.location", "VAULT_SSL_KEYSTORE_LOCATION") {
      http.certificateFile = store
      http.keyPassword = host.setting(
        "ssl.keystore.password", of: properties, or: "VAULT_SSL_KEYSTORE_PASSWORD")
    }
    self.http = http
  }
}
