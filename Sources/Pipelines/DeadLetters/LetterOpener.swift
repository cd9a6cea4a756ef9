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

/// Opens the letters of one topic.
package struct LetterOpener: Sendable {
  private let keyRing: KeyRing
  private let subject: Subject

  /// - Parameter keyRing: that of the source's side, as when the letters were sealed.
  package init(_ settings: DeadLetterSettings, keyRing: KeyRing) {
    self.keyRing = keyRing
    subject = settings.subject
  }

  package func open(
    _ letter: SealedLetter, isolation: isolated (any Actor)? = #isolation
  ) async throws(LetterFailure) -> Letter {
    let cipher = try cipher(try await key(ofKEK: letter.label.kek))
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

  private func key(
    ofKEK kek: String, isolation: isolated (any Actor)? = #isolation
  ) async throws(LetterFailure) -> DataKey {
    do throws(KeyError) {
      return try await keyRing.openingKey(
        DEKIdentity(kek: kek, subject: subject, algorithm: .aes256GCM, version: 1))
    } catch {
      throw .key(error)
    }
  }

  /// Letters are few, so a cipher serves one.
  private func cipher(_ key: DataKey) throws(LetterFailure) -> FieldCipher {
    do throws(CryptoError) {
      return try FieldCipher(key.material, ivs: IVSource())
    } catch {
      throw .key(KeyError(.damaged, key.identity, "\(error)"))
    }
  }
}
