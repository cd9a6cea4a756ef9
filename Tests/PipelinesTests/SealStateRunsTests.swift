import FieldCrypto
import KeyManagement
import SchemaRegistry
import Testing

@testable import Codecs
@testable import Pipelines

/// What a field is does not depend on the values before it, though the key of the last one is tried first.
struct SealStateRunsTests {
  private static let versions: ClosedRange<Int32> = 1...4
  private static let firstCurrent: Int32 = 3

  private let keys = EngineKeys()
  private let materials: [KeyName: KeyMaterial]
  private let target: KeyFamilyIdentity
  private let other: KeyFamilyIdentity

  init() throws {
    func family(_ kek: String) -> KeyFamilyIdentity {
      KeyFamilyIdentity(side: .source, kek: kek, subject: Subject("s"), algorithm: .aes256GCM)
    }
    (target, other) = (family("target"), family("other"))
    var materials: [KeyName: KeyMaterial] = [:]
    for family in [target, other] {
      for version in Self.versions {
        let name = KeyName(family, version: version)
        let material = try KeyMaterial(generatedFor: .aes256GCM)
        materials[name] = material
        keys.keep(.success(DataKey(identity: name.identity, material: material)), for: name)
      }
      keys.family(family).setHighestVersion(Self.versions.upperBound)
    }
    self.materials = materials
  }

  private struct Kind {
    let family: KeyFamilyIdentity
    let version: Int32
    let isVersioned: Bool
  }

  private var kinds: [Kind] {
    [target, other].flatMap { family in
      Self.versions.map { Kind(family: family, version: $0, isVersioned: true) }
        + [Kind(family: family, version: 1, isVersioned: false)]
    }
  }

  /// A field as a client would have written it.
  private func written(_ text: String, _ kind: Kind) throws -> [UInt8] {
    let material = try #require(materials[KeyName(kind.family, version: kind.version)])
    var prefix = [UInt8](repeating: 0, count: kind.isVersioned ? DEKVersionPrefix.count : 0)
    if kind.isVersioned { prefix.withUnsafeMutableBytes { DEKVersionPrefix.write(kind.version, to: $0) } }
    return prefix + (try FieldCipher(material, ivs: IVSource()).seal(Array(text.utf8)))
  }

  /// So many that their keys are fetched ahead.
  @Test(arguments: [false, true])
  func eachOfHundredsOfVersionsOpens(_ isText: Bool) throws {
    let family = KeyFamilyIdentity(side: .source, kek: "many", subject: Subject("s"), algorithm: .aes256GCM)
    var sealed: [[UInt8]] = []
    for version in Int32(1)...300 {
      let name = KeyName(family, version: version)
      let material = try KeyMaterial(generatedFor: .aes256GCM)
      keys.keep(.success(DataKey(identity: name.identity, material: material)), for: name)
      var prefix = [UInt8](repeating: 0, count: DEKVersionPrefix.count)
      prefix.withUnsafeMutableBytes { DEKVersionPrefix.write(version, to: $0) }
      let value = prefix + (try FieldCipher(material, ivs: IVSource()).seal(Array("\(version)".utf8)))
      sealed.append(isText ? Array(Base64.encode(value).utf8) : value)
    }
    keys.family(family).setHighestVersion(300)
    let work = FieldWork(
      purpose: .open(passesPlaintext: true), isText: isText, unsupportedType: nil,
      opening: [.init(rule: "r", family: family, rotates: true, onFailure: .error)], writerLayers: 1,
      sealing: [], candidates: [], onSealingFailure: .error)
    let actions = FieldActions([work], keys: keys)
    defer { withExtendedLifetime(actions) {} }
    let processor = FieldProcessor()
    processor.begin(actions)
    let output = ByteArena()
    for (index, value) in sealed.enumerated() {
      output.removeAll()
      _ = try value.withUnsafeBytes { try processor.transform($0, field: 0, into: output) }
      #expect(Array(output.bytes) == Array("\(index + 1)".utf8))
    }
    // What names no version that exists, or is too short to, is nobody's.
    for text in ["AAAAAAAB", "AAAADOqY" + String(repeating: "A", count: 60), "////////"] {
      output.removeAll()
      let isReplaced = try Array(text.utf8).withUnsafeBytes {
        try processor.transform($0, field: 0, into: output)
      }
      #expect(!isReplaced, "\(text)")
    }
  }

  /// Each kind of value comes after each other kind, and after itself.
  @Test func eachValueIsTakenForWhatItIs() throws {
    let work = FieldWork(
      purpose: .seal(.encrypt), isText: false, unsupportedType: nil, opening: [], writerLayers: 0,
      sealing: [
        .init(
          rule: "r", key: KeyName(target, version: Self.versions.upperBound), isVersioned: true,
          firstVersion: Self.firstCurrent)
      ],
      candidates: [target, other], onSealingFailure: .error)
    let actions = FieldActions([work], keys: keys)
    defer { withExtendedLifetime(actions) {} }
    let layers = FieldLayers()
    for kind in kinds.flatMap({ first in kinds.flatMap { [first, $0] } }) {
      let text = "value of \(kind)"
      try written(text, kind).withUnsafeBytes { bytes in
        let (state, inside) = try layers.state(of: bytes, actions.addresses[0])
        #expect(Array(inside) == Array(text.utf8))
        let isCurrent = kind.family == target && kind.isVersioned && kind.version >= Self.firstCurrent
        switch state {
        case .current: #expect(isCurrent, "\(kind)")
        case .plaintext: Issue.record("taken for plaintext: \(kind)")
        case .foreign(let layer):
          #expect(!isCurrent, "\(kind)")
          #expect(layer.keyName == KeyName(kind.family, version: kind.version))
          #expect(layer.isVersioned == kind.isVersioned)
        }
      }
    }
  }
}
