internal import CCurl
internal import Threads

/// Where callers, on any thread, leave what the loop is to do; the loop collects it.
///
/// The lock is held for a few loads and stores and one `curl_multi_wakeup`, which does not block.
final class Mailbox: Sendable {
  /// What has been left since the last collection.
  struct Mail: Sendable {
    var submissions: [Submission] = []
    var cancellations: [Int] = []
    var isClosing = false
  }

  /// The one thing other threads may do to a multi handle: wake the thread that polls it.
  ///
  /// `Sendable`: libcurl documents `curl_multi_wakeup` as callable from any thread, and the mailbox drops the
  /// bell, under its lock, before the handle is freed.
  struct Bell: @unchecked Sendable {
    let multi: UnsafeMutableRawPointer

    /// Fails only for a handle without a wake-up pipe, which `MultiHandle` refuses at the start.
    func ring() { curl_multi_wakeup(multi) }
  }

  private struct Contents: Sendable {
    var mail = Mail()
    var lastID = 0
    /// `nil` once the loop takes no more mail.
    var bell: Bell?
    var hasEnded = false
    var waitingForEnd: [CheckedContinuation<Void, Never>] = []
  }

  private let contents: Locked<Contents>

  init(_ bell: Bell) {
    contents = Locked(Contents(bell: bell))
  }

  func nextID() -> Int {
    contents.withLock { contents in
      contents.lastID += 1
      return contents.lastID
    }
  }

  /// Hands a request over, or fails it at once when the client is closed or the calling task is cancelled.
  func submit(_ submission: Submission) {
    let refusal: (HTTPError.Reason, String)? = contents.withLock { contents in
      guard !contents.mail.isClosing else { return (.closed, "the client is closed") }
      // Asked under the lock: a task cancelled any later finds the submission here when it calls `cancel`.
      guard !Task.isCancelled else { return (.cancelled, "cancelled before it was sent") }
      contents.mail.submissions.append(submission)
      contents.bell?.ring()
      return nil
    }
    if let (reason, detail) = refusal { submission.fail(reason, detail) }
  }

  /// Ends a request wherever it is. One that has ended already, or is not yet submitted, is left alone.
  func cancel(_ id: Int) {
    contents.withLock { contents in
      guard let bell = contents.bell else { return }
      contents.mail.cancellations.append(id)
      bell.ring()
    }
  }

  func close() {
    contents.withLock { contents in
      contents.mail.isClosing = true
      contents.bell?.ring()
    }
  }

  /// Returns when the loop has freed everything.
  func end() async {
    await withCheckedContinuation { continuation in
      let hasEnded = contents.withLock { contents in
        if !contents.hasEnded { contents.waitingForEnd.append(continuation) }
        return contents.hasEnded
      }
      if hasEnded { continuation.resume() }
    }
  }

  // The loop's side.

  /// Takes what has been left since the last time.
  func collect() -> Mail {
    contents.withLock { contents in
      defer {
        contents.mail.submissions = []
        contents.mail.cancellations = []
      }
      return contents.mail
    }
  }

  /// Takes the last mail; from here on submissions fail and nobody rings.
  func retire() -> Mail {
    contents.withLock { contents in
      defer { contents.mail = Mail(isClosing: true) }
      contents.bell = nil
      return contents.mail
    }
  }

  /// Tells everybody who waits that the loop has freed everything.
  func announceEnd() {
    let waiting = contents.withLock { contents in
      contents.hasEnded = true
      defer { contents.waitingForEnd = [] }
      return contents.waitingForEnd
    }
    for continuation in waiting { continuation.resume() }
  }
}
