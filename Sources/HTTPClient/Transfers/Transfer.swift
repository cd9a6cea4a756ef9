internal import CCurl

/// One request under way: the one owner of its easy handle and of what has arrived so far.
///
/// Made, used and dropped on the loop's thread. libcurl's callbacks reach it by address, so it is a class, and
/// the loop holds it until the handle is out of the multi handle.
final class Transfer {
  let submission: Submission
  private var handle: EasyHandle
  private var reception: Reception
  private var refusal: Reception.Refusal?

  init(_ submission: Submission, _ configuration: HTTPClient.Configuration) throws(HTTPError) {
    self.submission = submission
    handle = try EasyHandle()
    reception = Reception(
      maximumHeaderBytes: configuration.maximumHeaderBytes, maximumBodyBytes: configuration.maximumBodyBytes)
    try handle.apply(configuration)
    try handle.apply(submission.request)
    try connectCallbacks()
  }

  var easy: UnsafeMutableRawPointer { handle.pointer }

  /// Reports how the transfer ended.
  func complete(_ code: CURLcode) {
    if let refusal {
      submission.fail(refusal.reason, refusal.detail)
    } else if code == CURLE_OK, reception.isInHead {
      // libcurl takes a connection that ends within the header for the end of an empty body.
      submission.fail(.connectionLost, "the connection ended within the header")
    } else if code == CURLE_OK {
      submission.complete(
        .success(
          HTTPResponse(
            status: handle.number(CURLINFO_RESPONSE_CODE), headers: reception.headers,
            body: reception.finish())))
    } else {
      let failure = TransferFailure(code, handle)
      submission.fail(failure.reason, failure.detail)
    }
  }

  private func connectCallbacks() throws(HTTPError) {
    // Unretained: see the type's comment.
    let address = Unmanaged.passUnretained(self).toOpaque()
    try handle.set(CURLOPT_HEADERDATA, address)
    try handle.set(CURLOPT_HEADERFUNCTION) { line, size, count, transfer in
      Transfer.at(transfer)?.receiveHeader(UnsafeRawBufferPointer(start: line, count: size * count)) ?? 0
    }
    try handle.set(CURLOPT_WRITEDATA, address)
    try handle.set(CURLOPT_WRITEFUNCTION) { chunk, size, count, transfer in
      Transfer.at(transfer)?.receiveBody(UnsafeMutableRawBufferPointer(start: chunk, count: size * count))
        ?? 0
    }
  }

  private static func at(_ address: UnsafeMutableRawPointer?) -> Transfer? {
    address.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
  }

  // Both return how many bytes were taken: all, or none, which makes libcurl end the transfer.

  private func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
    do {
      try reception.takeHeader(line)
      return line.count
    } catch {
      refusal = error
      return 0
    }
  }

  /// Takes a copy of the chunk and wipes the chunk.
  ///
  /// It is part of libcurl's receive buffer: heap memory libcurl itself writes into, lent as `char *`, and not
  /// read again once this returns, as libcurl decodes nothing here (see `EasyHandle.apply`). The buffer itself
  /// may live on for other answers.
  func receiveBody(_ chunk: UnsafeMutableRawBufferPointer) -> Int {
    defer { WipedMemory.wipe(chunk) }
    do {
      try reception.takeBody(UnsafeRawBufferPointer(chunk))
      return chunk.count
    } catch {
      refusal = error
      return 0
    }
  }
}
