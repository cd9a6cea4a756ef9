import Codecs
import FieldCrypto
import KeyManagement
import SchemaRegistry
import Testing

@testable import Pipelines

/// What an encrypt step does to one tagged field, by what the field holds and which keys are at hand.
struct SealStateTests {
  /// One text or bytes field, a target key, and a second key that the value may be sealed under.
  private struct Bench {
    let isText: Bool
    let isVersioned: Bool
    let target: DataKey
    let other: DataKey
    let targetName: KeyName
    let otherFamily: KeyFamilyIdentity

    init(isText: Bool, algorithm: DEKAlgorithm, isVersioned: Bool) throws {
      self.isText = isText
      self.isVersioned = isVersioned
      func key(_ kek: String) throws -> (DataKey, KeyFamilyIdentity) {
        let rule = Rule(
          name: "r", type: "ENCRYPT",
          parameters: ["encrypt.kek.name": kek, "encrypt.dek.algorithm": algorithm.rawValue])
        let family = KeyFamilyIdentity(
          try KeySpecification(rule, metadata: [:]), subject: Subject("s"), side: .source)
        let identity = KeyName(family, version: 1).identity
        return (DataKey(identity: identity, material: try KeyMaterial(generatedFor: algorithm)), family)
      }
      let (target, family) = try key("target")
      let (other, otherFamily) = try key("other")
      (self.target, self.other, self.otherFamily) = (target, other, otherFamily)
      targetName = KeyName(family, version: 1)
    }

    enum Hand {
      case both
      case targetOnly(KeyError.Reason)
    }

    /// Runs the field through a processor; `nil` when it was left as it is.
    func seal(_ value: [UInt8], having hand: Hand = .both) throws(FieldFailure) -> [UInt8]? {
      let keys = EngineKeys()
      let work = FieldWork(
        purpose: .seal(.encrypt), isText: isText, unsupportedType: nil, opening: [], writerLayers: 0,
        sealing: [.init(rule: "r", key: targetName, isVersioned: isVersioned)],
        candidates: [targetName.family, otherFamily], onSealingFailure: .error)
      keys.keep(.success(target), for: targetName)
      let otherName = KeyName(otherFamily, version: 1)
      switch hand {
      case .both: keys.keep(.success(other), for: otherName)
      case .targetOnly(let reason): keys.keep(.failure(KeyError(reason, otherName, "test")), for: otherName)
      }
      // A value may claim any version; none but the first exists.
      let claimed = claimedVersion(value)
      for family in [targetName.family, otherFamily] where claimed != nil && claimed != 1 {
        let name = KeyName(family, version: claimed ?? 0)
        keys.keep(.failure(KeyError(.missing, name, "test")), for: name)
      }
      for family in [targetName.family, otherFamily] { keys.family(family).setHighestVersion(1) }
      return try FieldProcessor.rewritten(value, work, keys)
    }

    /// The version that a versioned reading of the value names.
    private func claimedVersion(_ value: [UInt8]) -> Int32? {
      let sealed = isText ? Base64.decode(String(decoding: value, as: UTF8.self)) ?? [] : value
      return sealed.withUnsafeBytes { DEKVersionPrefix.read($0) }
    }

    /// The field as a client would have written it under a key.
    func written(_ value: [UInt8], under key: DataKey, versioned: Int32? = nil) throws -> [UInt8] {
      var sealed = try FieldCipher(key.material, ivs: IVSource()).seal(value)
      if let versioned {
        var prefix = [UInt8](repeating: 0, count: DEKVersionPrefix.count)
        prefix.withUnsafeMutableBytes { DEKVersionPrefix.write(versioned, to: $0) }
        sealed = prefix + sealed
      }
      return isText ? Array(Base64.encode(sealed).utf8) : sealed
    }

    func opens(_ field: [UInt8], to value: [UInt8]) throws -> Bool {
      var sealed = isText ? try #require(Base64.decode(String(decoding: field, as: UTF8.self))) : field
      if isVersioned { sealed = Array(sealed.dropFirst(DEKVersionPrefix.count)) }
      return try FieldCipher(target.material, ivs: IVSource()).open(sealed) == value
    }
  }

  struct Setting: CustomTestStringConvertible, Sendable {
    let isText: Bool
    let algorithm: DEKAlgorithm
    let isVersioned: Bool

    var testDescription: String {
      "\(isText ? "text" : "bytes"), \(algorithm.rawValue), \(isVersioned ? "versioned" : "unversioned")"
    }

    static let all = [true, false].flatMap { isText in
      DEKAlgorithm.allCases.flatMap { algorithm in
        [true, false].map { Setting(isText: isText, algorithm: algorithm, isVersioned: $0) }
      }
    }
  }

  private func bench(_ setting: Setting) throws -> Bench {
    try Bench(isText: setting.isText, algorithm: setting.algorithm, isVersioned: setting.isVersioned)
  }

  private static let plaintexts = [
    "", "078-05-1120", "naïve 😀", "AAAA", String(repeating: "QUJD", count: 20), "bm90IHNlYWxlZA==",
    String(repeating: "long ", count: 1_000),
  ]

  @Test(arguments: Setting.all)
  func plaintextIsSealed(_ setting: Setting) throws {
    let bench = try bench(setting)
    for text in Self.plaintexts {
      let value = Array(text.utf8)
      let sealed = try #require(try bench.seal(value))
      #expect(try bench.opens(sealed, to: value), "\(text.prefix(20))")
    }
  }

  @Test(arguments: Setting.all)
  func whatIsCurrentIsLeftByteIdentical(_ setting: Setting) throws {
    let bench = try bench(setting)
    for text in Self.plaintexts {
      let sealed = try #require(try bench.seal(Array(text.utf8)))
      #expect(try bench.seal(sealed) == nil)
    }
  }

  @Test(arguments: Setting.all)
  func whatIsSealedUnderAnotherKeyIsRefused(_ setting: Setting) throws {
    let bench = try bench(setting)
    for versioned: Int32? in [nil, 1] {
      let foreign = try bench.written(Array("x".utf8), under: bench.other, versioned: versioned)
      let failure = try #require(throws: FieldFailure.self) { try bench.seal(foreign) }
      guard case .foreign(let name) = failure else {
        Issue.record("\(failure)")
        continue
      }
      #expect(name.family == bench.otherFamily)
    }
  }

  @Test(arguments: Setting.all)
  func theSameKeyInTheOtherFormIsForeignToo(_ setting: Setting) throws {
    let bench = try bench(setting)
    let other = try bench.written(
      Array("x".utf8), under: bench.target, versioned: setting.isVersioned ? nil : 1)
    #expect(throws: FieldFailure.self) { try bench.seal(other) }
  }

  @Test(arguments: Setting.all, [KeyError.Reason.missing, .denied, .damaged])
  func withoutTheKeyThatWouldTellNothingIsSealedTwice(_ setting: Setting, _ reason: KeyError.Reason) throws {
    let bench = try bench(setting)
    let foreign = try bench.written(Array("x".utf8), under: bench.other)
    let failure = try #require(throws: FieldFailure.self) {
      try bench.seal(foreign, having: .targetOnly(reason))
    }
    guard case .undecidable = failure else {
      Issue.record("\(failure)")
      return
    }
    // What cannot be a ciphertext at all needs no key to tell.
    #expect(try bench.seal(Array("078-05-1120".utf8), having: .targetOnly(reason)) != nil)
  }

  @Test func aClaimedVersionThatDoesNotExistIsUndecidable() throws {
    let bench = try Bench(isText: false, algorithm: .aes256GCM, isVersioned: false)
    let value = [0, 0, 0, 0, 9] + [UInt8](repeating: 7, count: 40)
    let failure = try #require(throws: FieldFailure.self) { try bench.seal(value) }
    guard case .undecidable = failure else {
      Issue.record("\(failure)")
      return
    }
  }

  /// The key that opened the value before is tried first; what comes out must not show it.
  @Test(arguments: Setting.all)
  func whatAValueIsDoesNotDependOnThoseBeforeIt(_ setting: Setting) throws {
    let bench = try bench(setting)
    let value = Array("078-05-1120".utf8)
    let current = try #require(try bench.seal(value))
    let foreign = try bench.written(value, under: bench.other, versioned: 1)
    let keys = EngineKeys()
    keys.keep(.success(bench.target), for: bench.targetName)
    keys.keep(.success(bench.other), for: KeyName(bench.otherFamily, version: 1))
    for family in [bench.targetName.family, bench.otherFamily] { keys.family(family).setHighestVersion(1) }
    let work = FieldWork(
      purpose: .seal(SealPolicy(sealsPlaintext: true, rekeysForeign: true)), isText: setting.isText,
      unsupportedType: nil, opening: [], writerLayers: 0,
      sealing: [.init(rule: "r", key: bench.targetName, isVersioned: setting.isVersioned)],
      candidates: [bench.targetName.family, bench.otherFamily], onSealingFailure: .error)
    let processor = FieldProcessor()
    let actions = FieldActions([work], keys: keys)
    defer { withExtendedLifetime(actions) {} }
    processor.begin(actions)
    for (input, isReplaced) in [
      (foreign, true), (current, false), (foreign, true), (foreign, true), (value, true), (current, false),
    ] {
      let output = ByteArena()
      let found = try input.span.withUnsafeBytes { (input) throws(TransformStopped) in
        try processor.transform(input, field: 0, into: output)
      }
      #expect(found == isReplaced)
      if found { #expect(try bench.opens(Array(output.bytes), to: value)) }
    }
    #expect(processor.counts.rekeyed == 3 && processor.counts.current == 2 && processor.counts.sealed == 1)
  }
}
