extension AccessPolicy {
  /// A policy in HCL. Paths are relative to the namespace.
  static func vault(_ request: Request) throws(ServiceFailure) -> AccessPolicy {
    var paths: [String] = []
    for keyID in request.keyIDs {
      let url = try VaultKeyURL(keyID)
      // A policy's path is a pattern: * and + are wildcards, and braces templates.
      guard !(url.mount + url.name).contains("%") else {
        throw ServiceFailure(
          .configuration, "a policy can name only paths of ASCII letters, digits, -, ., _ and ~")
      }
      for operation in request.operations {
        paths.append("\(url.mount)/\(operation == .wrap ? "encrypt" : "decrypt")/\(url.name)")
      }
    }
    let blocks = paths.map { "path \"\($0)\" {\n  capabilities = [\"update\"]\n}" }
    return AccessPolicy(
      .hcl(blocks.joined(separator: "\n\n") + "\n"),
      hint: "vault policy write \(request.principal ?? "NAME") POLICY.hcl")
  }
}
