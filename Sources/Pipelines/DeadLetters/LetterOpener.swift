internal import FieldCrypto
package import KeyManagement
internal import SchemaRegistry

/// Why a letter cannot be read. Never quotes it.
package enum LetterFailure: Error, CustomStringConvertible {
  case key(KeyError)
  /// Tampered with, cut off, or sealed under another key.
  case doesNotOpen
  case malformed(MalformedLetter)
  /// What is on the outside is not what is inside.
  case mislabelled

  package var description: String {
    switch self {
    case .key(let error): "\(error)"
    case .doesNotOpen: "the dead letter does not open under the key it names"
    case .malformed(let error): "\(error)"
    case .mislabelled: "the dead letter is of another record than its headers say"
    }
  }
}

/// Opens the letters of one topic. Not `Sendable`: it keeps ciphers.
package final class LetterOpener {
  /// KEKs whose ciphers are kept; what a letter names is not to be trusted.
  private static let capacity = 64

  private let keyRing: KeyRing
  private let subject: Subject
  private let ivs = IVSource()
  private var ciphers: [String: FieldCipher] = [:]

  /// - Parameter keyRing: that of the source's side, as when the letters were sealed.
  package init(_ settings: DeadLetterSettings, keyRing: KeyRing) {
    self.keyRing = keyRing
    subject = settings.subject
  }

  package func open(
    _ letter: SealedLetter, isolation: isolated (any Actor)? = #isolation
  ) async throws(LetterFailure) -> Letter {
    let cipher = try await cipher(ofKEK: letter.label.kek)
    let bytes: [UInt8]
    do throws(CryptoError) { bytes = try cipher.open(letter.sealed) } catch { throw .doesNotOpen }
    let opened: Letter
    do throws(MalformedLetter) {
      opened = try bytes.span.withUnsafeBytes { (bytes) throws(MalformedLetter) in
        try Letter(readingFrom: bytes)
      }
    } catch {
      throw .malformed(error)
    }
    guard opened.origin == letter.label.origin else { throw .mislabelled }
    return opened
  }

  private func cipher(
    ofKEK kek: String, isolation: isolated (any Actor)? = #isolation
  ) async throws(LetterFailure) -> FieldCipher {
    if let known = ciphers[kek] { return known }
    let key: DataKey
    do throws(KeyError) {
      key = try await keyRing.openingKey(
        DEKIdentity(kek: kek, subject: subject, algorithm: .aes256GCM, version: 1))
    } catch {
      throw .key(error)
    }
    let cipher: FieldCipher
    do throws(CryptoError) {
      cipher = try FieldCipher(key.material, ivs: ivs)
    } catch {
      throw .key(KeyError(.damaged, key.identity, "\(error)"))
    }
    if ciphers.count >= Self.capacity { ciphers.removeAll() }
    ciphers[kek] = cipher
    return cipher
  }
}
