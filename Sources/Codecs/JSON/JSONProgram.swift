/// Schemas compiled with their rules: what to do with each value of a text, in a form that is walked without
/// allocating.
///
/// A state stands for everything that applies to a value at once: a schema, what it refers to, all branches of an
/// `allOf`. Where the value itself chooses among alternatives, a decision leads to the state that follows.
final class JSONProgram: Sendable {
  struct Action: Sendable, Hashable {
    enum Code: UInt8, Sendable {
      /// Nothing inside is planned.
      case skip
      /// The planned string field `operand`.
      case leaf
      /// The planned field `operand`, which cannot be sealed.
      case unsupported
      /// A value of another type than the schema says, where something is planned.
      case wrongType
      /// An object whose planned members are in the table `operand`.
      case object
      /// An array whose items are all of state `operand`.
      case items
      /// An array whose items' states depend on their index, by the automaton `operand`.
      case indexedItems
    }

    var code = Code.skip
    var operand: Int32 = 0
  }

  struct State: Sendable {
    /// What to do by the kind of the value; a null is always skipped.
    var boolean = Action()
    var number = Action()
    var string = Action()
    var array = Action()
    var object = Action()
    /// The decision to take first, or -1.
    var decision: Int32 = -1
  }

  final class Decision: Sendable {
    /// `oneOf` rather than `anyOf`.
    let takesFirst: Bool
    /// By branch.
    let validators: [Int32]
    /// `oneOf`: the state by branch. `anyOf`: the bit of each branch in a set of branches, or 0.
    let outcomes: [UInt64]
    /// `anyOf`, which has at most 64 branches: the state by set of branches.
    let states: [UInt64: Int32]

    init(takesFirst: Bool, validators: [Int32], outcomes: [UInt64], states: [UInt64: Int32]) {
      self.takesFirst = takesFirst
      self.validators = validators
      self.outcomes = outcomes
      self.states = states
    }
  }

  /// Reads a decimal index digit by digit.
  struct IndexNode: Sendable, Hashable {
    /// The node after each digit.
    var next = [Int32](repeating: 0, count: 10)
    /// The state of the item when the index ends here.
    var state: Int32 = 0
  }

  /// The first one skips everything.
  let states: [State]
  let root: Int32
  let tables: [JSONNameTable]
  let automata: [[IndexNode]]
  let decisions: [Decision]
  let validators: [JSONValidator]

  init(
    states: [State], root: Int32, tables: [JSONNameTable], automata: [[IndexNode]], decisions: [Decision],
    validators: [JSONValidator]
  ) {
    self.states = states
    self.root = root
    self.tables = tables
    self.automata = automata
    self.decisions = decisions
    self.validators = validators
  }
}
