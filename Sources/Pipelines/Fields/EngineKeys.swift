internal import FieldCrypto
internal import KeyManagement

/// The families of one engine, one object for each however many rules name it.
final class EngineKeys {
  /// Lists of actions kept.
  private static let capacity = 1_000

  private var families: [KeyFamilyIdentity: KeyFamily] = [:]
  private var actions: [[FieldWork]: FieldActions] = [:]
  private let ivs = IVSource()

  func family(_ identity: KeyFamilyIdentity) -> KeyFamily {
    if let known = families[identity] { return known }
    let family = KeyFamily(identity)
    families[identity] = family
    return family
  }

  func settleUses() { for family in families.values { family.settleUses() } }

  func forget(failures: Bool) { for family in families.values { family.forget(failures: failures) } }

  /// Drops everything; for when no plan refers to a family any more.
  func forgetAll() {
    families = [:]
    actions = [:]
  }

  /// The actions for a list of fields. Those of schemas that are treated alike, such as the versions of one subject, are
  /// the same, so that mixing these costs no more memory to look at.
  func actions(for work: [FieldWork]) -> FieldActions {
    if let known = actions[work] { return known }
    if actions.count >= Self.capacity { actions.removeAll() }
    let made = FieldActions(work, keys: self)
    actions[work] = made
    return made
  }

  /// Keeps the outcome of a search for a key, unless the key is at hand: what was found for other engines may be older.
  func keep(_ result: Result<DataKey, KeyError>, for name: KeyName) {
    let family = family(name.family)
    guard family.key(name.version) == nil else { return }
    switch result {
    case .failure(let error): family.set(name.version, to: error)
    case .success(let key):
      do throws(CryptoError) {
        family.set(name.version, to: try EngineKey(key, ivs: ivs))
      } catch {
        family.set(name.version, to: KeyError(.damaged, name, "\(error)"))
      }
    }
  }
}
