/// Calls to registries and key management services, over HTTP/1.1, with connections kept for reuse.
///
/// One client is one libcurl multi handle on one thread of its own; every libcurl handle is made, used and freed
/// there (see ``TransferLoop``). Callers only leave letters in a ``Mailbox``, which takes a lock for a moment, so
/// nothing here blocks the cooperative pool. It is a class, not an actor: a task's cancellation handler must
/// reach the loop at once and without `await`, and there is no state of its own to isolate.
package final class HTTPClient: Sendable {
  let mailbox: Mailbox
  let timing: RetryTiming

  /// Throws ``HTTPError/Reason/invalidRequest`` for a configuration that cannot be used, and
  /// ``HTTPError/Reason/library`` when the system has no memory or thread to give.
  package init(_ configuration: Configuration = Configuration(), timing: RetryTiming = .system)
    throws(HTTPError)
  {
    try configuration.check()
    mailbox = try TransferLoop.start(configuration)
    self.timing = timing
  }

  /// As ``close()``, without waiting.
  deinit { mailbox.close() }

  /// One attempt. Any status is an answer; redirects are returned, not followed: they could carry credentials
  /// elsewhere.
  package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    let destination = try request.checkedDestination()
    let id = mailbox.nextID()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        mailbox.submit(
          Submission(id: id, request: request, destination: destination) {
            continuation.resume(returning: $0)
          })
      }
    } onCancel: {
      mailbox.cancel(id)
    }
    return try result.get()
  }

  /// Fails every request still waiting or under way with ``HTTPError/Reason/closed`` and returns when the thread
  /// has freed all it held. May be called again.
  package func close() async {
    mailbox.close()
    await mailbox.end()
  }
}
