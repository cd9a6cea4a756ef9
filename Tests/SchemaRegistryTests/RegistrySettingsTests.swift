import Configuration
import HTTPClient
import SchemaRegistry
import Testing

struct RegistrySettingsTests {
  private func settings(_ properties: [String: String]) throws(InvalidSettings) -> RegistrySettings {
    try RegistrySettings(properties, at: "$.schemaRegistry")
  }

  /// User and password for each address.
  private func basic(_ settings: RegistrySettings) -> [[String]?] {
    settings.addresses.map {
      if case .basic(let user, let password)? = $0.credentials { [user, password] } else { nil }
    }
  }

  @Test func severalAddressesWithoutTrailingSlashes() throws {
    #expect(
      try settings(["url": "http://a:1/, https://b/contexts/.x//"]).addresses.map(\.url) == [
        "http://a:1", "https://b/contexts/.x",
      ])
  }

  @Test(
    arguments: [
      (["url": "http://u%40x:p%3Aq@a"], [["u@x", "p:q"]]),
      (["url": "http://a", "basic.auth.user.info": "u:p:q"], [["u", "p:q"]]),
      (["schema.registry.url": "http://a", "schema.registry.basic.auth.user.info": "u:p"], [["u", "p"]]),
      (
        ["url": "http://x:y@a", "basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p"],
        [["u", "p"]]
      ),
      (["url": "http://a"], [nil]), (["url": "http://x:y@a", "bearer.auth.token": "t"], [nil]),
      // What is written at one address is for nobody else.
      (["url": "http://x:y@a,http://b,http://z@c"], [["x", "y"], nil, ["z", ""]]),
      (["url": "http://x:y@a,http://b", "basic.auth.user.info": "u:p"], [["u", "p"], ["u", "p"]]),
    ] as [([String: String], [[String]?])])
  func basicCredentials(_ properties: [String: String], _ expected: [[String]?]) throws {
    let settings = try settings(properties)
    #expect(basic(settings) == expected)
    #expect(settings.addresses.allSatisfy { !$0.url.contains("@") })
  }

  @Test func tlsRetriesAndHeaders() throws {
    let settings = try settings([
      "url": "https://a", "ssl.ca.location": "/ca", "ssl.certificate.location": "/c",
      "ssl.key.location": "/k",
      "ssl.key.password": "pw", "ssl.endpoint.identification.algorithm": "", "max.retries": "7",
      "retries.wait.ms": "5",
      "retries.max.wait.ms": "9", "request.header.X-One": "1", "bearer.auth.logical.cluster": "lsrc-1",
      "bearer.auth.identity.pool.id": "pool", "proxy.host": "p", "proxy.port": "8",
    ])
    #expect(
      settings.http.certificateAuthorityFile == "/ca" && settings.http.clientIdentity?.keyPassword == "pw")
    #expect(!settings.http.verifiesHostname && settings.http.proxyURL == "http://p:8")
    #expect(settings.retry.attempts == 8 && settings.retry.baseDelay == .milliseconds(5))
    #expect(
      settings.headers.map { "\($0.name)=\($0.value)" } == [
        "target-sr-cluster=lsrc-1", "Confluent-Identity-Pool-Id=pool", "X-One=1",
      ])
  }

  @Test(
    arguments: [
      ([:], ["$.schemaRegistry.url: is missing"]),
      (["url": "localhost:8081"], ["$.schemaRegistry.url: must be a comma-separated list"]),
      (
        ["url": "http://a", "basic.auth.credentials.source": "SASL_INHERIT"],
        ["SASL_INHERIT is not supported"]
      ),
      (
        ["url": "http://a", "bearer.auth.credentials.source": "OAUTHBEARER"], ["OAUTHBEARER is not supported"]
      ),
      (["url": "http://a", "ssl.key.location": "/k"], ["go together"]),
      (
        ["url": "http://a", "ssl.truststore.location": "/t.jks", "max.retries": "-1"],
        ["Java key stores", "max.retries\"]: must be from 0"]
      ),
      (["url": "http://a", "basic.auth.user.info": "secretwithoutcolon"], ["must be user:password"]),
    ] as [([String: String], [String])])
  func problemsAreNamedWithoutQuotingSecrets(_ properties: [String: String], _ texts: [String]) throws {
    let invalid = try #require(throws: InvalidSettings.self) { try settings(properties) }
    #expect(invalid.problems.count == texts.count)
    for (problem, text) in zip(invalid.problems, texts) {
      #expect(problem.description.contains(text), "\(problem)")
      #expect(!problem.description.contains("secretwithoutcolon"))
    }
  }
}
