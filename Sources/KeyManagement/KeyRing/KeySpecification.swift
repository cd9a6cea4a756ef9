package import FieldCrypto
package import SchemaRegistry

/// Which key an encryption rule asks for: its parameters, each from the rule or else from the schema's metadata
/// (specification section E.1).
package struct KeySpecification: Sendable, Hashable {
  package let kekName: String
  /// Needed only to create the KEK; when given, an existing one must agree.
  package let kmsType: String?
  package let kmsKeyID: String?
  package let algorithm: DEKAlgorithm
  /// Whole days after which a DEK is replaced by a new version; `nil` for one version forever.
  package let expiryDays: Int?

  /// For a KEK that exists, unless it says how to make one.
  package init(
    kekName: String, kmsType: String? = nil, kmsKeyID: String? = nil, algorithm: DEKAlgorithm,
    expiryDays: Int?
  ) {
    self.kekName = kekName
    self.kmsType = kmsType
    self.kmsKeyID = kmsKeyID
    self.algorithm = algorithm
    self.expiryDays = expiryDays
  }

  /// Throws with the parameter at fault.
  package init(_ rule: Rule, metadata: [String: String]) throws(InvalidRule) {
    func parameter(_ name: String) -> String? { rule.parameters[name] ?? metadata[name] }
    guard let name = parameter("encrypt.kek.name"), Self.isName(name) else {
      throw InvalidRule(
        rule: rule.name, parameter: "encrypt.kek.name",
        "must be given; letters, digits, _ and -, beginning with a letter or _")
    }
    kekName = name
    kmsType = parameter("encrypt.kms.type").flatMap { $0.isEmpty ? nil : $0 }
    kmsKeyID = parameter("encrypt.kms.key.id").flatMap { $0.isEmpty ? nil : $0 }
    let algorithmName = parameter("encrypt.dek.algorithm") ?? ""
    guard let algorithm = algorithmName.isEmpty ? .aes256GCM : DEKAlgorithm(rawValue: algorithmName) else {
      throw InvalidRule(
        rule: rule.name, parameter: "encrypt.dek.algorithm",
        "must be one of \(DEKAlgorithm.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.algorithm = algorithm
    let days = parameter("encrypt.dek.expiry.days") ?? ""
    guard let number = days.isEmpty ? 0 : Int(days), number >= 0 else {
      throw InvalidRule(
        rule: rule.name, parameter: "encrypt.dek.expiry.days", "must be a number of days, 0 or more")
    }
    expiryDays = number == 0 ? nil : number
  }

  private static func isName(_ name: String) -> Bool {
    let isHead = { (scalar: Unicode.Scalar) in scalar == "_" || scalar.properties.isAlphabetic }
    guard let first = name.unicodeScalars.first, isHead(first) else { return false }
    return name.unicodeScalars.allSatisfy { isHead($0) || $0 == "-" || $0.properties.numericType == .decimal }
  }
}

/// A rule whose parameters cannot be used.
package struct InvalidRule: Error, CustomStringConvertible {
  package let rule: String
  package let parameter: String
  package let reason: String

  init(rule: String, parameter: String, _ reason: String) {
    self.rule = rule
    self.parameter = parameter
    self.reason = reason
  }

  package var description: String { "rule \(rule): \(parameter) \(reason)" }
}
