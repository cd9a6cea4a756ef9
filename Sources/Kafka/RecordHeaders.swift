internal import CRdkafka

/// The headers of one record, in order; names may repeat and values may be null.
package struct RecordHeaders: ~Copyable {
  private let pointer: OpaquePointer

  init(consuming pointer: OpaquePointer) { self.pointer = pointer }

  package init() { pointer = rd_kafka_headers_new(4) }

  deinit { rd_kafka_headers_destroy(pointer) }

  package var count: Int { rd_kafka_header_cnt(pointer) }

  package func append(_ name: String, _ value: UnsafeRawBufferPointer?) {
    // An empty value needs an address, or it would become null.
    var nothing: UInt8 = 0
    guard let value else {
      _ = rd_kafka_header_add(pointer, name, -1, nil, 0)
      return
    }
    withUnsafePointer(to: &nothing) { nothing in
      let start = value.baseAddress ?? UnsafeRawPointer(nothing)
      _ = rd_kafka_header_add(pointer, name, -1, start, value.count)
    }
  }

  package func append(_ name: String, _ value: String) {
    var value = value
    value.withUTF8 { append(name, UnsafeRawBufferPointer($0)) }
  }

  /// Removes every header of this name and says whether there was one.
  @discardableResult
  package func remove(_ name: String) -> Bool {
    rd_kafka_header_remove(pointer, name) == RD_KAFKA_RESP_ERR_NO_ERROR
  }

  /// The names in order, repeated as often as they occur.
  package var names: [String] {
    (0..<count).compactMap { index in
      var name: UnsafePointer<CChar>?
      var value: UnsafeRawPointer?
      var size = 0
      guard rd_kafka_header_get_all(pointer, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR else {
        return nil
      }
      return name.map { String(cString: $0) }
    }
  }

  /// Names and values in order, copied.
  package var all: [(name: String, value: [UInt8]?)] {
    (0..<count).compactMap { index in
      var name: UnsafePointer<CChar>?
      var value: UnsafeRawPointer?
      var size = 0
      guard rd_kafka_header_get_all(pointer, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR,
        let name
      else { return nil }
      let bytes = value.map { Array(UnsafeRawBufferPointer(start: $0, count: size)) }
      return (String(cString: name), bytes)
    }
  }

  /// Gives the C headers to a call that takes them over when it returns `true`.
  consuming func hand(to call: (OpaquePointer) -> Bool) -> Bool {
    guard call(pointer) else {
      _ = consume self
      return false
    }
    discard self
    return true
  }
}
