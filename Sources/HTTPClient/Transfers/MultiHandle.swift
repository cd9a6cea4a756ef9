internal import CCurl

/// One libcurl multi handle, with its connections and DNS cache: created, used and freed on one thread at a time.
struct MultiHandle: ~Copyable {
  private let pointer: UnsafeMutableRawPointer

  /// - Parameter connections: how many idle connections to keep. libcurl would otherwise shrink its cache with
  ///   the number of requests under way.
  init(keeping connections: Int) throws(HTTPError) {
    try CurlLibrary.prepare()
    guard let pointer = curl_multi_init() else { throw HTTPError(.libcurl, "curl_multi_init failed") }
    do {
      try Self.check(
        reseal_curl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, connections), "CURLMOPT_MAXCONNECTS")
      // Fails without a pipe to wake the thread by; every later call can then be relied on.
      try Self.check(curl_multi_wakeup(pointer), "curl_multi_wakeup")
    } catch {
      curl_multi_cleanup(pointer)
      throw error
    }
    self.pointer = pointer
  }

  /// Every easy handle has been removed before.
  deinit { curl_multi_cleanup(pointer) }

  var bell: Mailbox.Bell { Mailbox.Bell(multi: pointer) }

  func add(_ easy: UnsafeMutableRawPointer) throws(HTTPError) {
    try Self.check(curl_multi_add_handle(pointer, easy), "curl_multi_add_handle")
  }

  /// Ends whatever the handle was doing. Fails only for a handle that was never added.
  func remove(_ easy: UnsafeMutableRawPointer) { curl_multi_remove_handle(pointer, easy) }

  /// Sends and receives what can be without waiting.
  func perform() throws(HTTPError) {
    var running: Int32 = 0
    try Self.check(curl_multi_perform(pointer, &running), "curl_multi_perform")
  }

  /// The next easy handle that is done, with how it ended.
  func nextDone() -> (easy: UnsafeMutableRawPointer, code: CURLcode)? {
    var left: Int32 = 0
    while let message = curl_multi_info_read(pointer, &left) {
      if message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle {
        return (easy, message.pointee.data.result)
      }
    }
    return nil
  }

  /// Waits for the network, libcurl's next timer or the bell.
  func poll(milliseconds: Int32) throws(HTTPError) {
    try Self.check(curl_multi_poll(pointer, nil, 0, milliseconds, nil), "curl_multi_poll")
  }

  private static func check(_ code: CURLMcode, _ call: String) throws(HTTPError) {
    guard code == CURLM_OK else {
      throw HTTPError(.libcurl, "\(call) failed: \(String(cString: curl_multi_strerror(code)))")
    }
  }
}
