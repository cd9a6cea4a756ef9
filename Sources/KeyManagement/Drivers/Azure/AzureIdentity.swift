/// Who to be at Microsoft Entra ID, tried in this order:
///
/// | | properties | environment |
/// |---|---|---|
/// | client secret | `tenant.id`, `client.id`, `client.secret` | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` |
/// | workload identity | | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE` |
/// | managed identity of App Service | | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `AZURE_CLIENT_ID` |
/// | managed identity of the machine | | `AZURE_CLIENT_ID` for one that was assigned |
///
/// `AZURE_AUTHORITY_HOST` replaces `https://login.microsoftonline.com`, `AZURE_POD_IDENTITY_AUTHORITY_HOST` the
/// address of the machine's metadata.
enum AzureIdentity: Sendable {
  case clientSecret(tenant: String, client: String, secret: String)
  case workload(tenant: String, client: String, tokenFile: String)
  case appService(url: String, header: String, client: String?)
  case machine(client: String?)

  init(_ properties: [String: String], host: Host) throws(ServiceFailure) {
    let tenant = host["AZURE_TENANT_ID"]
    let client = host["AZURE_CLIENT_ID"]
    let given = ["tenant.id", "client.id", "client.secret"].compactMap { properties[$0] }
    if given.count == 3, given.allSatisfy({ !$0.isEmpty }) {
      self = .clientSecret(tenant: given[0], client: given[1], secret: given[2])
    } else if let tenant, let client, let secret = host["AZURE_CLIENT_SECRET"] {
      self = .clientSecret(tenant: tenant, client: client, secret: secret)
    } else if let tenant, let client, let file = host["AZURE_FEDERATED_TOKEN_FILE"] {
      self = .workload(tenant: tenant, client: client, tokenFile: file)
    } else if let url = host["IDENTITY_ENDPOINT"], let header = host["IDENTITY_HEADER"] {
      self = .appService(url: url, header: header, client: client)
    } else {
      self = .machine(client: client)
    }
    switch self {
    case .clientSecret(let tenant, _, _), .workload(let tenant, _, _):
      guard WebText.isPlain(tenant, others: ".-") else {
        throw ServiceFailure(.configuration, "the Azure tenant must be an id or a domain")
      }
    case .appService, .machine: break
    }
  }
}
