internal import CCurl

/// Runs all requests of a client on one thread: collects mail, lets libcurl work, waits.
///
/// Noncopyable, and ``run()`` consumes it, so nothing of it is reachable from another thread, and when `run`
/// returns everything is freed.
struct TransferLoop: ~Copyable {
  private let multi: MultiHandle
  private let configuration: HTTPClient.Configuration
  let mailbox: Mailbox
  /// In the order they came.
  private var waiting: [Submission] = []
  /// By easy handle.
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]

  /// Starts a loop on a thread of its own and returns the way to reach it.
  static func start(_ configuration: HTTPClient.Configuration) throws(HTTPError) -> Mailbox {
    let loop = try TransferLoop(configuration)
    let mailbox = loop.mailbox
    try DedicatedThread.run(loop)
    return mailbox
  }

  private init(_ configuration: HTTPClient.Configuration) throws(HTTPError) {
    let multi = try MultiHandle(keeping: configuration.maximumConcurrentRequests)
    mailbox = Mailbox(multi.bell)
    self.multi = multi
    self.configuration = configuration
  }

  /// Works until the mailbox is closed.
  consuming func run() {
    var end = (HTTPError.Reason.closed, "the client was closed")
    while true {
      let mail = mailbox.collect()
      waiting += mail.submissions
      for id in mail.cancellations { cancel(id) }
      if mail.isClosing { break }
      do {
        try multi.perform()
        while let (easy, code) = multi.nextDone() { finish(easy, code) }
        startWaiting()
        // A new handle's timer is due at once, so the poll returns for it. While requests run it returns every
        // second at the latest: a guard against a wake-up that libcurl misses. Idle, only the bell matters.
        try multi.poll(milliseconds: running.isEmpty ? .max : 1_000)
      } catch {
        // Out of memory or file descriptors: there is nothing to go on with.
        end = (error.reason, error.detail)
        break
      }
    }
    failAll(end.0, end.1)
  }

  private mutating func startWaiting() {
    while running.count < configuration.maximumConcurrentRequests, !waiting.isEmpty {
      let submission = waiting.removeFirst()
      do {
        let transfer = try Transfer(submission, configuration)
        try multi.add(transfer.easy)
        running[transfer.easy] = transfer
      } catch {
        submission.fail(error.reason, error.detail)
      }
    }
  }

  private mutating func finish(_ easy: UnsafeMutableRawPointer, _ code: CURLcode) {
    guard let transfer = running.removeValue(forKey: easy) else { return }
    multi.remove(easy)
    transfer.complete(code)
  }

  private mutating func cancel(_ id: Int) {
    if let index = waiting.firstIndex(where: { $0.id == id }) {
      waiting.remove(at: index).fail(.cancelled, "cancelled before it was sent")
    } else if let transfer = running.values.first(where: { $0.submission.id == id }) {
      running[transfer.easy] = nil
      multi.remove(transfer.easy)
      transfer.submission.fail(.cancelled, "cancelled under way")
    }
  }

  private mutating func failAll(_ reason: HTTPError.Reason, _ detail: String) {
    for submission in mailbox.retire().submissions + waiting { submission.fail(reason, detail) }
    waiting = []
    for (easy, transfer) in running {
      multi.remove(easy)
      transfer.submission.fail(reason, detail)
    }
    running = [:]
  }
}
