import Codecs
import FieldCrypto
import KeyManagement
import SchemaRegistry
import Testing

@testable import Pipelines

/// Every combination of what a value is, what the step may do about it, which keys are at hand, the algorithm, the
/// form, and the number of layers. What must come of it is written down once, in ``Row/expected``.
struct SealStateTableTests {
  enum State: CaseIterable {
    case shortPlaintext
    /// Strict base64, or bytes, of the length of a ciphertext.
    case lookalike
    case current
    /// Under another KEK.
    case foreign
    /// The same, in one or two layers more than any rules put on.
    case foreignDeeper, foreignDeepest
    /// Under the target's key, in the form it is not sealed in.
    case otherForm
    /// Under the target's KEK with another algorithm.
    case otherAlgorithm
    /// All but the outermost of the target's layers.
    case halfSealed
  }

  enum Step: CaseIterable {
    case encrypt, encryptAndRekey, rekey, rekeyAndSeal, renew, rekeyOnlyForeign

    var policy: SealPolicy {
      var policy: SealPolicy = self == .encrypt || self == .encryptAndRekey ? .encrypt : .rekey
      switch self {
      case .encryptAndRekey: policy.rekeysForeign = true
      case .rekeyAndSeal: policy.sealsPlaintext = true
      case .renew: policy.renewsCurrent = true
      case .rekeyOnlyForeign: policy.onlyKeys = KeySet([.init(kek: "foreign")])
      case .encrypt, .rekey: break
      }
      return policy
    }
  }

  /// What is known of the foreign key.
  enum Hand: CaseIterable {
    case atHand, missing, denied
  }

  enum Outcome: Equatable {
    case kept, replaced, refusedAsForeign, refusedAsPlaintext, refusedAsDeeper, undecidable
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let state: State
    let step: Step
    let hand: Hand
    let isText: Bool
    let algorithm: DEKAlgorithm
    let isVersioned: Bool
    let layers: Int
    let isPayload: Bool

    /// The rule book.
    var expected: Outcome {
      if hand != .atHand, state == .lookalike || isForeign { return .undecidable }
      switch state {
      case .shortPlaintext, .lookalike:
        switch step {
        case .encrypt, .encryptAndRekey, .rekeyAndSeal: return .replaced
        case .rekey, .renew, .rekeyOnlyForeign: return .refusedAsPlaintext
        }
      case .current: return step == .renew ? .replaced : .kept
      case .foreignDeeper, .foreignDeepest: return step == .encrypt ? .refusedAsForeign : .refusedAsDeeper
      case .foreign, .otherForm, .otherAlgorithm, .halfSealed:
        switch step {
        case .encrypt: return .refusedAsForeign
        case .rekeyOnlyForeign: return state == .foreign ? .replaced : .kept
        case .encryptAndRekey, .rekey, .rekeyAndSeal, .renew: return .replaced
        }
      }
    }

    private var isForeign: Bool { [.foreign, .foreignDeeper, .foreignDeepest].contains(state) }

    var testDescription: String {
      "\(state), \(step), foreign key \(hand), \(isPayload ? "payload" : isText ? "text" : "bytes"), "
        + "\(algorithm.rawValue), \(isVersioned ? "versioned" : "unversioned"), \(layers) layers"
    }

    static let all: [Row] = {
      var rows: [Row] = []
      for state in State.allCases {
        for step in Step.allCases {
          for hand in Hand.allCases {
            for (isText, isPayload) in [(true, false), (false, false), (false, true)] {
              for algorithm in DEKAlgorithm.allCases {
                for isVersioned in [false, true] {
                  for layers in 1...3 where state != .halfSealed || layers > 1 {
                    rows.append(
                      Row(
                        state: state, step: step, hand: hand, isText: isText, algorithm: algorithm,
                        isVersioned: isVersioned, layers: layers, isPayload: isPayload))
                  }
                }
              }
            }
          }
        }
      }
      return rows
    }()
  }

  @Test func everyRowComesOutAsWritten() throws {
    let rows = Row.all
    #expect(rows.count > 6_000)
    for row in rows {
      let bench = try LayerBench(row)
      let plaintext = row.state == .lookalike ? bench.lookalike : Array("078-05-1120".utf8)
      let value = try bench.value(row.state, plaintext)
      let found: Outcome
      var replaced: [UInt8]?
      do throws(FieldFailure) {
        replaced = try bench.run(value)
        found = replaced == nil ? .kept : .replaced
      } catch {
        switch error {
        case .foreign: found = .refusedAsForeign
        case .notSealed: found = .refusedAsPlaintext
        case .sealedDeeper: found = .refusedAsDeeper
        case .undecidable: found = .undecidable
        default: throw error
        }
      }
      #expect(found == row.expected, "\(row.testDescription)")
      if let replaced { #expect(try bench.opened(replaced) == plaintext, "\(row.testDescription)") }
    }
  }
}

/// The keys of one row, and the row's field or payload processed with them.
private struct LayerBench {
  private let row: SealStateTableTests.Row
  /// Innermost first.
  private let targets: [KeyName]
  private let foreign: KeyName
  private let otherAlgorithm: KeyName
  private let materials: [KeyName: KeyMaterial]

  init(_ row: SealStateTableTests.Row) throws {
    self.row = row
    func name(_ kek: String, _ algorithm: DEKAlgorithm) -> KeyName {
      KeyName(
        KeyFamilyIdentity(side: .source, kek: kek, subject: Subject("s"), algorithm: algorithm), version: 1)
    }
    let other: DEKAlgorithm = row.algorithm == .aes256SIV ? .aes256GCM : .aes256SIV
    targets = (0..<row.layers).map { name("target\($0)", row.algorithm) }
    foreign = name("foreign", row.algorithm)
    otherAlgorithm = name("target0", other)
    var materials: [KeyName: KeyMaterial] = [:]
    for name in targets + [foreign, otherAlgorithm] {
      materials[name] = try KeyMaterial(generatedFor: name.family.algorithm)
    }
    self.materials = materials
  }

  /// Bytes that no key opens, as long as a ciphertext; text of them is strict base64.
  var lookalike: [UInt8] {
    let bytes = [UInt8](repeating: 0x5A, count: 60)
    return row.isText ? Array(Base64.encode(bytes).utf8) : bytes
  }

  func value(_ state: SealStateTableTests.State, _ plaintext: [UInt8]) throws -> [UInt8] {
    switch state {
    case .shortPlaintext, .lookalike: plaintext
    case .current: try sealed(plaintext, targets, versioned: row.isVersioned)
    case .foreign: try sealedForeign(plaintext, row.layers)
    case .foreignDeeper: try sealedForeign(plaintext, row.layers + 1)
    case .foreignDeepest: try sealedForeign(plaintext, row.layers + 2)
    case .otherForm: try sealed(plaintext, targets, versioned: !row.isVersioned)
    case .otherAlgorithm: try sealed(plaintext, [otherAlgorithm], versioned: row.isVersioned)
    case .halfSealed: try sealed(plaintext, Array(targets.dropLast()), versioned: row.isVersioned)
    }
  }

  private func sealedForeign(_ plaintext: [UInt8], _ layers: Int) throws -> [UInt8] {
    try sealed(plaintext, [KeyName](repeating: foreign, count: layers), versioned: row.isVersioned)
  }

  private func cipher(_ name: KeyName) throws -> FieldCipher {
    try FieldCipher(#require(materials[name]), ivs: IVSource())
  }

  /// As a client writes it, layer by layer.
  private func sealed(_ plaintext: [UInt8], _ layers: [KeyName], versioned: Bool) throws -> [UInt8] {
    var value = plaintext
    for layer in layers {
      var sealed = try cipher(layer).seal(value)
      if versioned { sealed = [0, 0, 0, 0, UInt8(layer.version)] + sealed }
      value = row.isText ? Array(Base64.encode(sealed).utf8) : sealed
    }
    return value
  }

  /// As a client reads it under the target's rules.
  func opened(_ value: [UInt8]) throws -> [UInt8] {
    var value = value
    for layer in targets.reversed() {
      var sealed = row.isText ? try #require(Base64.decode(String(decoding: value, as: UTF8.self))) : value
      if row.isVersioned {
        try #require(sealed.starts(with: [0, 0, 0, 0, UInt8(layer.version)]))
        sealed.removeFirst(5)
      }
      value = try cipher(layer).open(sealed)
    }
    return value
  }

  /// Runs the row's step; `nil` when the value was left as it is.
  func run(_ value: [UInt8]) throws(FieldFailure) -> [UInt8]? {
    let keys = EngineKeys()
    for (name, material) in materials {
      let result: Result<DataKey, KeyError> =
        switch row.hand {
        case .missing where name == foreign: .failure(KeyError(.missing, name, "test"))
        case .denied where name == foreign: .failure(KeyError(.denied, name, "test"))
        default: .success(DataKey(identity: name.identity, material: material))
        }
      keys.keep(result, for: name)
      keys.family(name.family).setHighestVersion(1)
    }
    let work = FieldWork(
      purpose: .seal(row.step.policy), isText: row.isText, unsupportedType: nil, opening: [], writerLayers: 0,
      sealing: targets.map { .init(rule: "r", key: $0, isVersioned: row.isVersioned) },
      candidates: targets.map(\.family) + [foreign.family, otherAlgorithm.family], onSealingFailure: .error)
    return try FieldProcessor.rewritten(value, work, keys, isPayload: row.isPayload)
  }
}
