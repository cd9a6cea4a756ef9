internal import JSON

extension AccessPolicy {
  /// The binding of an IAM policy of each key. The predefined roles are as small as the need.
  static func google(_ request: Request) throws(ServiceFailure) -> AccessPolicy {
    let role =
      switch request.operations {
      case [.wrap]: "roles/cloudkms.cryptoKeyEncrypter"
      case [.unwrap]: "roles/cloudkms.cryptoKeyDecrypter"
      default: "roles/cloudkms.cryptoKeyEncrypterDecrypter"
      }
    let member = request.principal ?? "serviceAccount:ACCOUNT@PROJECT.iam.gserviceaccount.com"
    var commands: [String] = []
    for keyID in request.keyIDs {
      // Rights are given on keys, not on versions.
      let parts = try GoogleKeyName(keyID).key.split(separator: "/")
      commands.append(
        "gcloud kms keys add-iam-policy-binding \(parts[7]) --project \(parts[1]) --location \(parts[3]) "
          + "--keyring \(parts[5]) --member \(member) --role \(role)")
    }
    return AccessPolicy(
      .json(["bindings": [["role": .string(role), "members": [.string(member)]]]]),
      hint: commands.joined(separator: "\n"))
  }
}
