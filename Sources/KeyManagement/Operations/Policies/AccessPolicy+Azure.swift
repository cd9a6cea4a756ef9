internal import JSON

extension AccessPolicy {
  private static let readAction = "Microsoft.KeyVault/vaults/keys/read"

  /// A deployment template with a role of its own, since no built-in one is as small, and its assignment on each
  /// key.
  ///
  /// Reading the key gives its public half and its version; clients wrap with it themselves, and ask the vault
  /// to when they may not read it (specification section G.3).
  static func azure(_ request: Request) throws(ServiceFailure) -> AccessPolicy {
    let actions = request.operations.flatMap { operation in
      operation == .wrap
        ? [readAction, "Microsoft.KeyVault/vaults/keys/encrypt/action"]
        : [readAction, "Microsoft.KeyVault/vaults/keys/decrypt/action"]
    }
    let keys = try request.keyIDs.map { (keyID) throws(ServiceFailure) in try AzureKeyURL(keyID) }
    let words = request.operations.map(\.rawValue).joined(separator: " and ")
    let roleName = "[guid(resourceGroup().id, 'reseal \(words)')]"
    let role: JSONValue = [
      "type": "Microsoft.Authorization/roleDefinitions", "apiVersion": "2022-04-01",
      "name": .string(roleName),
      "properties": [
        "roleName": .string("[concat('Reseal \(words) in ', resourceGroup().name)]"), "type": "CustomRole",
        "permissions": [
          [
            "actions": [], "notActions": [], "notDataActions": [],
            "dataActions": .array(unique(actions).map(JSONValue.string)),
          ]
        ],
        "assignableScopes": ["[resourceGroup().id]"],
      ],
    ]
    let roleID = "resourceId('Microsoft.Authorization/roleDefinitions', \(roleName.dropFirst().dropLast()))"
    let assignments = keys.map { url -> JSONValue in
      // Rights are given on keys, not on versions.
      let (vault, key) = (url.vaultName, url.name)
      return [
        "type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
        "name": .string("[guid(parameters('principalId'), '\(vault)', '\(key)', '\(words)')]"),
        "scope": .string("[resourceId('Microsoft.KeyVault/vaults/keys', '\(vault)', '\(key)')]"),
        "dependsOn": [.string("[\(roleID)]")],
        "properties": [
          "principalId": "[parameters('principalId')]", "roleDefinitionId": .string("[\(roleID)]"),
        ],
      ]
    }
    return AccessPolicy(
      .json([
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "parameters": ["principalId": ["type": "string"]],
        "resources": .array([role] + assignments),
      ]),
      hint: "az deployment group create --resource-group GROUP_OF_THE_VAULT --template-file POLICY.json "
        + "--parameters principalId=\(request.principal ?? "OBJECT_ID")")
  }

  private static func unique(_ texts: [String]) -> [String] {
    texts.enumerated().filter { index, text in !texts[..<index].contains(text) }.map(\.element)
  }
}
