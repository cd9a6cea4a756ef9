package import FieldCrypto

/// A data encryption key that is ready for use.
package struct DataKey: Sendable {
  package let identity: DEKIdentity
  package let material: KeyMaterial
  /// Where its uses are counted; `nil` where nobody counts.
  package let uses: UseLedger?
  /// Lives as long as any copy of this key.
  package let lifetime = Lifetime()

  /// By a weak reference to it, whoever has made a cipher of a key sees that the key ring has dropped the key.
  package final class Lifetime: Sendable {}

  package init(identity: DEKIdentity, material: KeyMaterial, uses: UseLedger? = nil) {
    self.identity = identity
    self.material = material
    self.uses = uses
  }
}
