/// Where a record keeps its schema reference and where its body begins.
///
/// A header, when there is one, wins over a prefix, and the whole Kafka payload is the body then; of several
/// headers with the name the last one counts (specification section A.2, the "dual" deserializer).
package struct Frame: Hashable, Sendable {
  /// Header that carries the reference of a key's or a value's schema.
  package static let keyHeader: StaticString = "__key_schema_id"
  package static let valueHeader: StaticString = "__value_schema_id"

  package let reference: SchemaReference
  package let isInHeader: Bool
  /// Bytes of the payload before the body, or before the Protobuf message indexes where a prefix has them.
  package let prefixCount: Int

  /// - Parameters:
  ///   - payload: the Kafka key or value; not a tombstone, which has no frame.
  ///   - header: the value of the last header of the right name; `nil` when absent or null.
  package init(payload: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer?) throws(FrameError) {
    if let header {
      reference = try SchemaReference(readingFrom: header)
      isInHeader = true
      prefixCount = 0
    } else {
      reference = try SchemaReference(readingFrom: payload)
      isInHeader = false
      prefixCount = reference.count
    }
  }
}
