/// A schema compiled with its rules: what to do with each part of the bytes, in a form that is walked without
/// allocating. Operations refer to each other by index, so recursive schemas need nothing special.
struct AvroProgram: Sendable {
  enum Code: UInt8, Sendable {
    /// Nothing on the wire.
    case nothing
    /// One byte, 0 or 1.
    case boolean
    /// A zigzag variable-length integer.
    case number
    /// A number below `a`.
    case enumeration
    /// `a` bytes.
    case fixed
    /// A length and so many bytes, untouched.
    case bytes
    /// A length and the bytes of the planned field `a`.
    case leaf
    /// The planned field `a`, which cannot be sealed; its bytes are those of operation `b`.
    case unsupported
    /// Blocks of items, each operation `a`. `b` is 1 when an item takes no bytes.
    case array
    /// Blocks of text keys with values of operation `a`.
    case map
    /// A number below `b`, then the child `a + number`.
    case union
    /// The children `a ..< a + b`, one after the other.
    case record
  }

  struct Operation: Sendable {
    var code: Code
    var a: Int32 = 0
    var b: Int32 = 0
  }

  /// A part of a record or union: the operation, and the field's name where it has one.
  struct Child: Sendable {
    let operation: Int32
    let name: String
  }

  var operations: [Operation] = []
  var children: [Child] = []
  var root = 0
}
