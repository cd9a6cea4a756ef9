internal import Glibc

/// Gives a loop a thread that nothing else uses.
enum DedicatedThread {
  /// Runs the loop to its end on a new, detached thread; then announces the end to the loop's mailbox.
  static func run(_ loop: consuming TransferLoop) throws(HTTPError) {
    // The box carries the loop over to the thread, which empties and frees it.
    let box = UnsafeMutablePointer<TransferLoop>.allocate(capacity: 1)
    box.initialize(to: loop)
    var thread = pthread_t()
    let status = pthread_create(&thread, nil, main, box)
    guard status == 0 else {
      box.deinitialize(count: 1)
      box.deallocate()
      throw HTTPError(.libcurl, "pthread_create failed: \(String(cString: strerror(status)))")
    }
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { box in
    guard let box = box?.assumingMemoryBound(to: TransferLoop.self) else { return nil }
    pthread_detach(pthread_self())
    // Signals are for the program's threads. SIGPIPE among them: a write to a closed connection fails instead.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)

    let loop = box.move()
    box.deallocate()
    let mailbox = loop.mailbox
    loop.run()
    mailbox.announceEnd()
    return nil
  }
}
