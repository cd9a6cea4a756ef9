/// What is done to each planned field while a rewriter walks a record. Asked in the order of the bytes.
package protocol FieldTransform: AnyObject {
  /// Appends the replacement of `value` to `output` and returns `true`, or leaves `output` alone and returns
  /// `false` to keep the field byte-identical.
  ///
  /// `field` is the position in the plan's list. A string's `value` is its text in UTF-8, as its replacement
  /// must be. Throwing stops the walk; the transform knows why, the walker only says where.
  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool

  /// A planned field of a type that cannot be sealed is present in this record.
  func meetUnsupported(field: Int) throws(TransformStopped)
}

/// Thrown by a ``FieldTransform`` that has noted its reason.
package struct TransformStopped: Error {
  package init() {}
}
