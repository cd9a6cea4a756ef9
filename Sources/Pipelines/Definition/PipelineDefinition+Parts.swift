internal import Configuration
internal import FieldCrypto
internal import JSON
internal import SchemaRegistry

// Parts of a pipeline file that ``PipelineShape`` has found to be of the right form.

extension StepSequence.Step {
  init?(_ value: JSONValue) {
    if let decrypt = value["decrypt"] {
      self = .decrypt(
        .init(
          onlyTags: decrypt["tags"]?.array?.compactMap(\.string),
          passesPlaintext: decrypt["plaintext"]?.string == "pass"))
    } else if let encrypt = value["encrypt"] {
      var policy = SealPolicy.encrypt
      policy.rekeysForeign = encrypt["foreignSealed"]?.string == "rekey"
      self = .encrypt(policy)
    } else if let rekey = value["rekey"] {
      var policy = SealPolicy.rekey
      policy.sealsPlaintext = rekey["plaintext"]?.string == "seal"
      policy.renewsCurrent = rekey["force"]?.bool ?? false
      policy.onlyKeys = rekey["only"]?.array.map { KeySet($0.compactMap(KeySet.Entry.init)) }
      self = .rekey(policy)
    } else {
      return nil
    }
  }
}

extension KeySet.Entry {
  fileprivate init?(_ value: JSONValue) {
    guard let kek = value["kek"]?.string else { return nil }
    self.init(
      kek: kek, subject: value["subject"]?.string, algorithm: value["algorithm"]?.string,
      versions: value["versions"]?.array?.compactMap { $0.integer.flatMap { Int32(exactly: $0) } })
  }
}

extension PriorUse.Declaration {
  init?(_ value: JSONValue) {
    guard var entry = KeySet.Entry(value), let fields = value["fields"]?.lenientInteger else { return nil }
    entry.versions = [value["version"]?.lenientInteger.flatMap { Int32(exactly: $0) } ?? 1]
    self.init(KeySet([entry]), fields: UInt64(max(fields, 0)))
  }
}

extension KeyFamilyIdentity {
  init?(_ value: JSONValue) {
    guard let kek = value["kek"]?.string, let subject = value["subject"]?.string,
      let algorithm = DEKAlgorithm(rawValue: value["algorithm"]?.string ?? DEKAlgorithm.aes256GCM.rawValue)
    else { return nil }
    self.init(side: .source, kek: kek, subject: Subject(subject), algorithm: algorithm)
  }
}

extension RuleAllowances {
  init(_ pipeline: JSONValue) {
    passedRules = Set(pipeline["passRules"]?.array?.compactMap(\.string) ?? [])
    clearFields = Set(pipeline["acceptClear"]?.array?.compactMap(\.string) ?? [])
    plaintextOnFailure = pipeline["allowPlaintextOnFailure"]?.bool ?? false
    deadLetters = pipeline["onFailure"]?["deadLetter"] != nil
  }
}

extension SchemaSelection {
  /// `nil` when nothing is said.
  init?(_ value: JSONValue?) {
    if let version = value?["version"]?.lenientInteger {
      self = .version(version)
    } else if let id = value?["id"]?.lenientInteger.flatMap({ Int32(exactly: $0) }) {
      self = .id(id)
    } else if let properties = value?["metadata"]?.object {
      var wanted: [String: String] = [:]
      for (name, property) in properties { wanted[name] = property.scalarText }
      self = .metadata(wanted)
    } else if value?.string == "latest" {
      self = .latest
    } else {
      return nil
    }
  }
}

extension SubjectNaming {
  /// One side's naming: its own words win over a client's property.
  init(_ side: JSONValue, topic: String, isKey: Bool, _ strategy: SubjectNameStrategy?) {
    let own = side["subjectNameStrategy"]?.string.flatMap(SubjectNameStrategy.init(rawValue:))
    self.init(
      topic: topic, isKey: isKey, strategy: own ?? strategy ?? .topic,
      fixed: side[isKey ? "keySubject" : "subject"]?.string.map { Subject($0) })
  }
}
