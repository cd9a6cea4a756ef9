internal import Kafka
internal import KeyManagement
internal import Logging

/// From sealed letters to what is replayed.
extension LetterReplay {
  /// A letter as far as it can be read, or what is wrong with it.
  struct Opened {
    let letter: SealedLetter
    var content: Letter.Content?
    var problem: String?
  }

  /// Opens the next letters, as many as there is room for: those with coordinates only bring records that may be large.
  ///
  /// - Returns: them in the order of their records, so that of several with one key the newest comes last.
  func opened(_ letters: inout ArraySlice<SealedLetter>) async throws(JobFailure) -> [Opened] {
    var opened: [Opened] = []
    var bytes = 0
    while bytes < Self.mostBytes, let letter = letters.popFirst() {
      let item = try await self.opened(letter)
      bytes += (item.content?.key?.count ?? 0) + (item.content?.value?.count ?? 0)
      opened.append(item)
    }
    return opened.sorted { $0.letter.label.origin < $1.letter.label.origin }
  }

  func opened(_ letter: SealedLetter) async throws(JobFailure) -> Opened {
    let whole: Letter
    do throws(LetterFailure) {
      whole = try await opener.open(letter)
    } catch {
      if case .key(let error) = error, error.isRetriable { throw .key(error) }
      log.warning("\(error)", metadata: metadata(letter))
      return Opened(letter: letter, problem: "letter-does-not-open")
    }
    if let content = whole.content { return Opened(letter: letter, content: content) }
    do throws(KafkaError) {
      guard let content = try await source.content(of: whole.origin) else {
        return Opened(letter: letter, problem: "source-record-gone")
      }
      return Opened(letter: letter, content: content)
    } catch {
      throw .kafka(error)
    }
  }
}
