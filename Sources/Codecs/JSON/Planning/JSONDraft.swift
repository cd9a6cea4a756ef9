/// A program before it is made small: states that plan nothing are still there, and equal ones are not yet one.
struct JSONDraft {
  enum State {
    case actions(Actions)
    case decision(Decision)
  }

  enum Action {
    case skip
    case leaf(Int)
    case unsupported(Int)
    /// Unless `always`, it only counts where another kind of value would have something planned.
    case wrongType(always: Bool)
    case object([(name: String, state: Int)])
    case items(Int)
    case indexedItems([IndexNode])
  }

  struct IndexNode {
    /// The node after each digit.
    var next: [Int] = []
    var state: Int
  }

  struct Actions {
    var byKind = [Action](repeating: .skip, count: JSONKind.allCases.count)

    subscript(kind: JSONKind) -> Action {
      get { byKind[Int(kind.rawValue)] }
      set { byKind[Int(kind.rawValue)] = newValue }
    }
  }

  struct Decision {
    let choice: JSONPlanCompiler.Choice
    /// `oneOf`: the state by branch. `anyOf`: the bit of each branch in a set of branches, or 0.
    var outcomes: [UInt64] = []
    /// `anyOf`: the state by set of branches.
    var states: [UInt64: Int] = [:]

    init(choice: JSONPlanCompiler.Choice) { self.choice = choice }

    /// All states it may lead to.
    var next: [Int] { choice.takesFirst ? outcomes.map { Int($0) } : Array(states.values) }
  }

  /// The first one has nothing to do.
  let states: [State]
  let root: Int
}
