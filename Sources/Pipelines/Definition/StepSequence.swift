internal import Codecs
internal import SchemaRegistry

/// The steps of a pipeline, in the order they are written.
package struct StepSequence: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    /// Seal the fields that the sink schema's rules name.
    case encrypt(SealPolicy)
    /// Open the fields that the writer schema's rules name.
    case decrypt(Decrypt)
    /// Bring sealed fields to the sink's keys, leaving alone what is there already.
    case rekey(SealPolicy)

    package var name: String {
      switch self {
      case .encrypt: "encrypt"
      case .decrypt: "decrypt"
      case .rekey: "rekey"
      }
    }
  }

  package struct Decrypt: Sendable, Hashable {
    /// Fields to open: all when `nil`, else those with one of these tags.
    package var onlyTags: [String]?
    /// Whether a field that is plaintext already passes; otherwise it is a failure.
    package var passesPlaintext: Bool

    package init(onlyTags: [String]? = nil, passesPlaintext: Bool = false) {
      self.onlyTags = onlyTags
      self.passesPlaintext = passesPlaintext
    }
  }

  package let steps: [Step]

  package init(_ steps: [Step]) { self.steps = steps }

  package var seals: Bool { sealPolicy != nil }

  /// How values are sealed; `nil` when none are.
  package var sealPolicy: SealPolicy? {
    for step in steps {
      switch step {
      case .encrypt(let policy), .rekey(let policy): return policy
      case .decrypt: continue
      }
    }
    return nil
  }

  package var opens: Bool { decrypt != nil }

  package var decrypt: Decrypt? {
    for case .decrypt(let decrypt) in steps { return decrypt }
    return nil
  }

  package var passesPlaintext: Bool { decrypt?.passesPlaintext ?? false }

  /// Why the steps make no job; `nil` when they do.
  var problem: String? {
    switch steps.map(\.name) {
    case ["encrypt"], ["decrypt"], ["decrypt", "encrypt"], ["rekey"]: nil
    default: "must be encrypt, decrypt, rekey, or decrypt followed by encrypt"
    }
  }
}
