/// What has to be done before a requested DEK can be stored.
enum DEKPreparation: Sendable {
  /// Nothing: the caller's material is taken as it is.
  case none(material: String)
  /// The server makes the key.
  case generate(KEK)
  /// The material has to unwrap.
  case unwrap(KEK, material: String)
  /// The stored key is wrapped anew.
  case rewrap(KEK, material: String)
}

extension KeyState {
  /// Whether a DEK may be created, and how. Nothing is changed yet: a key management service may have to be
  /// asked first, and ``insert(_:after:rewrap:maximum:)`` looks again afterwards.
  ///
  /// - Parameter isTrusted: whether material for a shared KEK is taken unchecked, as in IMPORT mode.
  func prepare(
    _ request: DEKRequest, under kekName: String, rewrap: Bool, isTrusted: Bool, maximum: Int
  ) throws(APIError) -> DEKPreparation {
    let kek = try kek(kekName)
    let material = request.encryptedKeyMaterial
    let candidate = request.dek(under: kekName, material: material ?? "", time: 0)
    guard kek.isShared else {
      guard let material else { throw .invalidKeyField("encryptedKeyMaterial") }
      try checkAdmission(of: candidate, rewrap: rewrap, maximum: maximum)
      return .none(material: material)
    }
    try checkAdmission(of: candidate, rewrap: rewrap, maximum: maximum)
    if rewrap, let known = deks[candidate.id], !known.isDeleted {
      return .rewrap(kek, material: known.encryptedKeyMaterial)
    }
    guard let material else { return .generate(kek) }
    return isTrusted ? .none(material: material) : .unwrap(kek, material: material)
  }

  /// Adds a DEK, or with `rewrap` replaces it. One that equals a soft-deleted one brings that back.
  ///
  /// What the server itself wrapped anew replaces only what it had unwrapped for that: another key may have taken the
  /// place while the key management service was asked.
  mutating func insert(
    _ dek: DEK, after preparation: DEKPreparation, rewrap: Bool, maximum: Int
  ) throws(APIError) {
    _ = try kek(dek.kek)
    if case .rewrap(_, let material) = preparation {
      guard deks[dek.id]?.encryptedKeyMaterial == material else { throw .keyExists(dek.subject) }
    }
    try checkAdmission(of: dek, rewrap: rewrap, maximum: maximum)
    put(dek)
  }

  private func checkAdmission(of dek: DEK, rewrap: Bool, maximum: Int) throws(APIError) {
    if let known = deks[dek.id] {
      let isReturn = known.isDeleted && known.encryptedKeyMaterial == dek.encryptedKeyMaterial
      guard isReturn || (rewrap && !known.isDeleted) else { throw .keyExists(dek.subject) }
    } else if deks.count > maximum {
      throw .tooManyKeys(maximum)
    }
  }
}
