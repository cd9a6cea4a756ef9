/// The bytes of a request or an answer. They may hold key material: lent only inside a closure, never printed,
/// wiped when the last reference goes.
///
/// Immutable, so one body can be sent again and again.
package final class HTTPBody: Sendable, CustomStringConvertible {
  private let memory: WipedMemory

  init(_ memory: consuming WipedMemory) {
    self.memory = memory
  }

  package convenience init(copying bytes: UnsafeRawBufferPointer) {
    var memory = WipedMemory(capacity: bytes.count)
    memory.append(bytes)
    self.init(memory)
  }

  package convenience init(_ bytes: [UInt8]) {
    var memory = WipedMemory(capacity: bytes.count)
    bytes.withUnsafeBytes { memory.append($0) }
    self.init(memory)
  }

  package convenience init(utf8 text: String) {
    var text = text
    var memory = WipedMemory(capacity: text.utf8.count)
    text.withUTF8 { memory.append(UnsafeRawBufferPointer($0)) }
    self.init(memory)
  }

  package var count: Int { memory.count }

  package func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try memory.withUnsafeBytes(body)
  }

  package var description: String { "HTTPBody(\(count) bytes)" }
}
