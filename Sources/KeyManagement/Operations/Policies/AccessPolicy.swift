package import JSON

/// The least a key management service must allow somebody who uses one KEK, in the service's own syntax.
package struct AccessPolicy: Sendable, Hashable {
  package enum Operation: String, Sendable, CaseIterable {
    /// Making DEKs.
    case wrap
    /// Using them.
    case unwrap
  }

  package enum Text: Sendable, Hashable {
    case json(JSONValue)
    /// HCL, Vault's own language.
    case hcl(String)

    package var text: String {
      switch self {
      case .json(let value): value.serialized(pretty: true)
      case .hcl(let text): text
      }
    }
  }

  package let text: Text
  /// How to put it into force: a command line, with words in capitals for what is not known here.
  package let hint: String

  /// - Parameters:
  ///   - keyIDs: the KEK's own key and its alternates.
  ///   - operations: not empty.
  ///   - principal: in the service's own spelling; `nil` leaves a word in capitals in its place.
  package init(
    kmsType: String, keyIDs: [String], operations: Set<Operation>, principal: String?
  ) throws(UnknownPolicy) {
    let request = Request(
      keyIDs: keyIDs, operations: Operation.allCases.filter(operations.contains), principal: principal)
    let policy: AccessPolicy? =
      switch kmsType {
      case "aws-kms": .aws(request)
      case "azure-kms": .azure(request)
      case "gcp-kms": .google(request)
      case "hcvault": .vault(request)
      default: nil
      }
    guard let policy else {
      throw UnknownPolicy(
        reason: kmsType == LocalKMS.type
          ? "the local KMS has no policies: whoever knows its secret may wrap and unwrap"
          : "no policy syntax is known for \(kmsType), or for this key id")
    }
    self = policy
  }

  init(_ text: Text, hint: String) {
    self.text = text
    self.hint = hint
  }

  /// What a policy is made from.
  struct Request {
    let keyIDs: [String]
    /// In the order of `Operation`'s cases.
    let operations: [Operation]
    let principal: String?
  }
}

package struct UnknownPolicy: Error, CustomStringConvertible {
  package let reason: String

  package init(reason: String) { self.reason = reason }

  package var description: String { reason }
}
