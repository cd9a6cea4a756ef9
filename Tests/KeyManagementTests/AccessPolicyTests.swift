import JSON
import Testing

@testable import KeyManagement

/// The exact texts: what they allow must not change by accident.
struct AccessPolicyTests {
  private static let all = Set(AccessPolicy.Operation.allCases)

  private func json(
    _ type: String, _ keyIDs: [String], _ operations: Set<AccessPolicy.Operation> = all,
    principal: String? = nil
  ) throws -> JSONValue {
    let policy = try AccessPolicy(
      kmsType: type, keyIDs: keyIDs, operations: operations, principal: principal)
    return try JSONValue(parsing: policy.text.text)
  }

  @Test func awsNamesKeysAndPutsAliasesUnderACondition() throws {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    #expect(
      try json("aws-kms", [key, "arn:aws-cn:kms:cn-north-1:1:alias/pii"], [.unwrap]) == [
        "Version": "2012-10-17",
        "Statement": [
          ["Sid": "ResealKey1", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": .string(key)],
          [
            "Sid": "ResealKey2", "Effect": "Allow", "Action": ["kms:Decrypt"],
            "Resource": "arn:aws-cn:kms:cn-north-1:1:key/*",
            "Condition": ["StringEquals": ["kms:RequestAlias": "alias/pii"]],
          ],
        ],
      ])
    #expect(
      try json("aws-kms", [key])["Statement"]?.array?[0]["Action"] == ["kms:Encrypt", "kms:Decrypt"])
  }

  @Test func azureHasARoleOfItsOwnOnEachKey() throws {
    let template = try json("azure-kms", ["https://my-vault.vault.azure.net/keys/pii/0123"], [.wrap])
    let resources = try #require(template["resources"]?.array)
    #expect(
      resources[0]["properties"]?["permissions"]?.array?[0]["dataActions"] == [
        "Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/encrypt/action",
      ])
    #expect(
      resources[1]["scope"] == "[resourceId('Microsoft.KeyVault/vaults/keys', 'my-vault', 'pii')]")
    let both = try json(
      "azure-kms", ["https://v.vault.azure.net/keys/a", "https://v.vault.azure.net/keys/b"])
    #expect(both["resources"]?.array?.count == 3)
  }

  @Test(
    arguments: [
      ([.wrap], "roles/cloudkms.cryptoKeyEncrypter"), ([.unwrap], "roles/cloudkms.cryptoKeyDecrypter"),
      ([.wrap, .unwrap], "roles/cloudkms.cryptoKeyEncrypterDecrypter"),
    ] as [(Set<AccessPolicy.Operation>, String)])
  func googleBindsThePredefinedRole(_ operations: Set<AccessPolicy.Operation>, _ role: String) throws {
    let policy = try AccessPolicy(
      kmsType: "gcp-kms", keyIDs: ["projects/P/locations/L/keyRings/R/cryptoKeys/K"], operations: operations,
      principal: "serviceAccount:a@p.iam.gserviceaccount.com")
    #expect(
      policy.text
        == .json([
          "bindings": [
            ["role": .string(role), "members": ["serviceAccount:a@p.iam.gserviceaccount.com"]]
          ]
        ]))
    #expect(
      policy.hint
        == "gcloud kms keys add-iam-policy-binding K --project P --location L --keyring R "
        + "--member serviceAccount:a@p.iam.gserviceaccount.com --role \(role)")
  }

  @Test func vaultAllowsUpdatesOfTheOperationsPaths() throws {
    let policy = try AccessPolicy(
      kmsType: "hcvault", keyIDs: ["https://vault.example:8200/team/transit/keys/pii"], operations: Self.all,
      principal: "reseal")
    #expect(
      policy.text.text == """
        path "team/transit/encrypt/pii" {
          capabilities = ["update"]
        }

        path "team/transit/decrypt/pii" {
          capabilities = ["update"]
        }

        """)
    #expect(policy.hint == "vault policy write reseal POLICY.hcl")
  }

  @Test(
    arguments: [
      ("local-kms", "k"), ("other-kms", "k"), ("aws-kms", "key/1"), ("azure-kms", "https://v/secrets/a"),
      ("azure-kms", "https://v'.vault.azure.net/keys/a"), ("gcp-kms", "projects/P"),
      ("hcvault", "https://v/pii"),
      ("hcvault", "https://v/t/keys/a\"b"), ("hcvault", "https://v/t/keys/*"),
      ("hcvault", "https://v/+/keys/a"),
      ("hcvault", "https://v/t/keys/{{identity.entity.id}}"), ("aws-kms", "arn:aws:kms:r:1:key/*"),
      ("aws-kms", "arn:aws:kms:r:1:*"), ("aws-kms", "arn:aws:kms:r:1:alias/${aws:username}"),
      ("aws-kms", "arn:aws:kms:r:1:key/"), ("azure-kms", "https://v.vault.azure.net/keys/a?b"),
      ("gcp-kms", "projects/P/locations/L/keyRings/R/cryptoKeys/K; rm -r ~"),
      ("gcp-kms", "projects/$(id)/locations/L/keyRings/R/cryptoKeys/K"),
    ])
  func whatHasNoPolicyIsSaid(_ type: String, _ keyID: String) {
    #expect(throws: UnknownPolicy.self) { try json(type, [keyID]) }
  }
}
