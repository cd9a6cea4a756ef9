import Codecs

/// The schema reference in front of a value or in a header, and Protobuf's message indexes behind it.
func fuzzFrame(_ input: UnsafeRawBufferPointer) {
  let (header, payload) = split(input)
  for frame in [frame(payload, header: nil), frame(payload, header: header)].compactMap(\.self) {
    precondition(frame.prefixCount <= payload.count)
    let body = UnsafeRawBufferPointer(rebasing: payload[frame.prefixCount...])
    let arena = ByteArena()
    frame.reference.write(to: arena)
    precondition(arena.bytes.elementsEqual((frame.isInHeader ? header : payload).prefix(arena.count)))
    do throws(FrameError) {
      let indexes = try MessageIndexes(readingFrom: body)
      precondition(indexes.count <= body.count)
      arena.removeAll()
      MessageIndexes.write(indexes.path, to: arena)
      let again = try MessageIndexes(readingFrom: arena.bytes)
      precondition(again.path == indexes.path)
    } catch {
      continue
    }
  }
}

private func frame(_ payload: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer?) -> Frame? {
  do throws(FrameError) { return try Frame(payload: payload, header: header) } catch { return nil }
}
