/// Two schemas compiled into what to do with each part of the writer's bytes. Operations refer to each other by
/// position, so recursive schemas need nothing special.
struct AvroResolutionProgram: Sendable {
  typealias Position = Int32

  enum Operation: Sendable {
    /// No bytes in, none out.
    case nothing
    /// Copied as they stand.
    case boolean
    case number
    case fixed(size: Int)
    /// A length and so many bytes.
    case bytes
    /// As `bytes`, which have to be UTF-8.
    case text
    /// Promotions.
    case numberToFloat
    case numberToDouble
    case floatToDouble
    /// A symbol's number; the reader's number for it is in `symbols`.
    case enumeration(first: Int, count: Int)
    /// Blocks of items.
    case array(Position)
    /// Blocks of items that take no bytes in, but may out.
    case arrayOfNothing(Position)
    /// Blocks of text keys and values.
    case map(Position)
    /// A branch number, then the operation that `branches` has for it.
    case union(first: Int, count: Int)
    /// The number of the reader's union branch, then the value.
    case branch(Int, Position)
    case record(Int)
    /// A root of type bytes: the rest of the body, without a length (specification section A.4).
    case everything
  }

  struct Record: Sendable {
    /// What is done one after the other, in the order of the writer's fields: in `steps` and `fields`.
    var steps = 0..<0
    /// In `order`: the positions, among the record's steps, of those that make up the reader's record, in its order.
    /// Empty when the steps are in that order.
    var order = 0..<0
  }

  enum Step: Sendable {
    case value(Position)
    /// A field that the reader lacks.
    case dropped(Position)
    /// A field that the writer lacks: the encoded default, in `defaults`.
    case constant(Range<Int>)
  }

  var operations: [Operation] = []
  var symbols: [Position] = []
  var branches: [Position] = []
  var records: [Record] = []
  var steps: [Step] = []
  /// For each step the name of the writer's field, or of the reader's where the writer has none.
  var fields: [String] = []
  var order: [Int] = []
  var defaults: [UInt8] = []
  var root: Position = 0

  /// Stands in `symbols` and `branches` for what the reader has no place for.
  static let unmatched: Position = -1

  subscript(_ position: Position) -> Operation { operations[Int(position)] }

  func isNothing(_ position: Position) -> Bool { if case .nothing = self[position] { true } else { false } }
}

// MARK: - Dropped fields

extension AvroResolutionProgram {
  private static let maximumDropped = 1_000

  /// See ``AvroResolution/dropped``.
  func droppedFields() -> [String] {
    var known: [Position: [String]] = [:]
    return dropped(below: root, &known).map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 }
  }

  /// Paths relative to the value of an operation. What is being looked at already has nothing to add.
  private func dropped(below position: Position, _ known: inout [Position: [String]]) -> [String] {
    switch self[position] {
    case .array(let item), .arrayOfNothing(let item): return dropped(below: item, &known).map { "[]" + $0 }
    case .map(let value): return dropped(below: value, &known).map { "{}" + $0 }
    case .branch(_, let value): return dropped(below: value, &known)
    case .union(let first, let count):
      let matched = branches[first..<first + count].filter { $0 != Self.unmatched }
      return limited(matched.flatMap { dropped(below: $0, &known) })
    case .record(let index):
      if let answer = known[position] { return answer }
      known[position] = []
      let answer = limited(
        records[index].steps.flatMap { step -> [String] in
          switch steps[step] {
          case .value(let value): dropped(below: value, &known).map { ".\(fields[step])\($0)" }
          case .dropped: [".\(fields[step])"]
          case .constant: []
          }
        })
      known[position] = answer
      return answer
    default: return []
    }
  }

  /// Each once: branches of a union can lack the same fields.
  private func limited(_ paths: [String]) -> [String] {
    var seen: Set<String> = []
    return Array(paths.filter { seen.insert($0).inserted }.prefix(Self.maximumDropped))
  }
}
