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
  ///   - keyIDs: the KEK's own key and its alternates, in any form; what is no key id, or could mean more than one
  ///     key in a policy, is refused.
  ///   - operations: not empty.
  ///   - principal: in the service's own spelling; `nil` leaves a word in capitals in its place.
  package init(
    kmsType: String, keyIDs: [String], operations: Set<Operation>, principal: String?
  ) throws(UnknownPolicy) {
    let request = Request(
      keyIDs: keyIDs, operations: Operation.allCases.filter(operations.contains), principal: principal)
    do throws(ServiceFailure) {
      switch kmsType {
      case AWSKMS.type: self = try .aws(request)
      case AzureKeyVault.type: self = try .azure(request)
      case GoogleKMS.type: self = try .google(request)
      case VaultTransit.type: self = try .vault(request)
      case LocalKMS.type:
        throw ServiceFailure(
          .configuration, "the local KMS has no policies: whoever knows its secret may wrap and unwrap")
      default: throw ServiceFailure(.configuration, "no policy syntax is known for this service")
      }
    } catch {
      throw UnknownPolicy(reason: error.detail)
    }
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
