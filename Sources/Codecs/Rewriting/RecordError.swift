/// Why one record could not be rewritten, and where. Never quotes the record.
package struct RecordError: Error, Equatable, CustomStringConvertible {
  package enum Reason: Equatable, Sendable {
    /// The record ends in the middle of something.
    case truncated
    /// A length or count that is negative, or beyond what an integer holds.
    case invalidLength
    /// A variable-length integer that does not end in time.
    case overlongNumber
    /// A union branch, enum symbol or boolean that the schema does not have.
    case outOfRange
    /// An enum symbol or union branch that the schema to be turned into has no place for.
    case unmatched
    /// Bytes that are to become text, or are a planned text, and are not UTF-8.
    case notText
    /// A planned JSON text with an escape that is half of a surrogate pair.
    case halfSurrogate
    /// A byte that JSON does not allow where it stands.
    case unexpectedByte
    /// A value of another type than the schema declares, where a planned field is or may be inside.
    case wrongType
    /// A value that fits no alternative of a combined schema with planned fields.
    case noAlternative
    /// A value that fits several alternatives which treat fields differently, as far as can be told without
    /// looking at what sealing changes.
    case ambiguous
    /// Telling alternatives apart takes too many steps.
    case tooComplex
    /// Bytes are left when the schema is satisfied: it is not the schema these were written with.
    case trailingBytes
    /// A field number or wire type that Protobuf does not have.
    case invalidTag
    /// A Protobuf group, which is not supported.
    case group
    /// A Protobuf field of another wire type than its schema says.
    case wrongWireType
    /// A Protobuf message in several pieces, of which it cannot be told without merging them which fields are
    /// absent and have to be sealed empty.
    case scatteredMessage
    /// Nested deeper than ``RecordLimits/depth``.
    case tooDeep
    /// The result would exceed ``RecordLimits/outputCount``.
    case tooLarge
    /// The transform stopped at this planned field.
    case stopped(field: Int)
  }

  package let reason: Reason
  /// Byte offset in the body, after the frame.
  package let offset: Int
  /// Names of the fields entered, innermost last.
  package private(set) var path: [String] = []

  init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The same error as seen from the enclosing record.
  func inside(_ field: String) -> RecordError {
    var outer = self
    outer.path.insert(field, at: 0)
    return outer
  }

  package var description: String {
    let place = path.isEmpty ? "" : " in field \(path.joined(separator: "."))"
    return "\(reasonText) at byte \(offset)\(place)"
  }

  private var reasonText: String {
    switch reason {
    case .truncated: "the record is truncated"
    case .invalidLength: "an invalid length"
    case .overlongNumber: "a number that does not end"
    case .outOfRange: "a union branch, enum symbol or boolean the schema does not have"
    case .unmatched: "an enum symbol or union branch that the new schema has no place for"
    case .notText: "bytes that cannot become text, because they are not UTF-8,"
    case .halfSurrogate: "half of a surrogate pair, which is no text,"
    case .unexpectedByte: "a byte that JSON does not allow there"
    case .wrongType: "a value of a type the schema does not declare"
    case .noAlternative: "a value that fits no alternative of the schema"
    case .ambiguous: "a value that fits alternatives of the schema which treat fields differently"
    case .tooComplex: "alternatives of the schema that take too long to tell apart"
    case .trailingBytes: "bytes after the end of the record"
    case .invalidTag: "a field number or wire type that Protobuf does not have"
    case .group: "a group, which is not supported,"
    case .wrongWireType: "a field of another wire type than the schema says"
    case .scatteredMessage: "a message in pieces that would have to be merged"
    case .tooDeep: "nested deeper than \(RecordLimits.depth) levels"
    case .tooLarge: "the result exceeds \(RecordLimits.outputCount) bytes"
    case .stopped: "the field could not be processed"
    }
  }
}

/// Bounds on what one record may ask of us, whatever its bytes claim.
package enum RecordLimits {
  /// Records, arrays, maps and unions inside each other.
  package static let depth = 512
  /// Bytes of the rewritten body; sealing an empty string makes 40 characters of one byte.
  package static let outputCount = 256 << 20
  /// Items of an array that take no bytes and yet make output: one number can claim any amount of them.
  package static let itemsOfNothing = 1_000_000
}
