/// Messages compiled with their rules: which of their fields are touched and how, in a form that is walked
/// without allocating. Fields that nothing is done to, nor to anything inside them, are not in it.
struct ProtobufProgram: Sendable {
  enum Code: UInt8, Sendable {
    /// The planned field `target`.
    case leaf
    /// The message `target`, inside.
    case message
    /// Nothing but the planned field `unsupported`.
    case none
  }

  /// Without anything that is counted, so that copying one costs nothing.
  struct Field: Sendable {
    let number: UInt32
    /// In the list of names.
    let name: Int32
    let code: Code
    let target: Int32
    /// A planned field that cannot be sealed and is present with this one, or -1.
    let unsupported: Int32
    /// Absent and empty are the same to the sink and the plan seals: an absent field is sealed empty.
    let sealsAbsent: Bool
    /// Absent and empty are the same to both sides: what opens to nothing is left out.
    let dropsEmpty: Bool
    /// Occurs once; if it is a message, several occurrences are pieces of one.
    let isSingular: Bool
    let isInOneof: Bool
  }

  struct Message: Sendable {
    /// In the list of fields, by number.
    var fields: Range<Int> = 0..<0
    /// How many of them are sealed when absent.
    var absentCount = 0
    /// Whether it or a singular message in it has any such field.
    var sealsAbsent = false
    /// Bit *n* is set when one of the fields has number *n*; the last bit stands for 63 and more.
    var numbers: UInt64 = 0

    /// Whether a field with this number may be among them.
    @inline(__always)
    func mayHave(_ number: UInt32) -> Bool { numbers >> UInt64(min(number, 63)) & 1 == 1 }
  }

  var fields: [Field] = []
  /// What errors call the fields.
  let names: [String]
  var messages: [Message] = []
  var root = 0
}

extension UnsafeBufferPointer<ProtobufProgram.Field> {
  /// Where the field with a number is in a range of fields by number. Most records have their fields in order, so
  /// the search starts where the last one ended.
  func index(of number: UInt32, in range: Range<Int>, from hint: Int) -> Int? {
    for next in hint..<Swift.min(hint + 2, range.upperBound) where self[next].number == number { return next }
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if self[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < range.upperBound && self[low].number == number ? low : nil
  }
}
