internal import JSON

extension AccessPolicy {
  /// An IAM policy, to be attached to the role or user.
  ///
  /// A policy cannot name an alias as its resource: a key that is used by its alias is allowed on all keys of
  /// the account and region, under the condition that the request names the alias.
  static func aws(_ request: Request) throws(ServiceFailure) -> AccessPolicy {
    let actions = request.operations.map { $0 == .wrap ? "kms:Encrypt" : "kms:Decrypt" }
    var statements: [JSONValue] = []
    for (index, keyID) in request.keyIDs.enumerated() {
      let arn = try AWSKeyARN(keyID)
      let account = keyID.dropLast(arn.resource.count)
      var statement: JSONObject = [
        "Sid": .string("ResealKey\(index + 1)"), "Effect": "Allow",
        "Action": .array(actions.map(JSONValue.string)),
        "Resource": .string(arn.isOfKey ? keyID : account + "key/*"),
      ]
      if !arn.isOfKey {
        statement["Condition"] = ["StringEquals": ["kms:RequestAlias": .string(arn.resource)]]
      }
      statements.append(.object(statement))
    }
    return AccessPolicy(
      .json(["Version": "2012-10-17", "Statement": .array(statements)]),
      hint: "aws iam put-role-policy --role-name \(request.principal ?? "ROLE") --policy-name reseal "
        + "--policy-document file://POLICY.json")
  }
}
