/// Writes a minimised draft down as a program.
struct JSONProgramWriter {
  private let draft: JSONDraft
  private let minimised: JSONMinimisedDraft
  private let branchValidators: [Int: [Int]]
  private var tables: [JSONNameTable] = []
  private var automata: [[JSONProgram.IndexNode]] = []
  private var decisions: [JSONProgram.Decision] = []

  /// `branchValidators` are those of each decision that is left, by state.
  init(draft: JSONDraft, minimised: JSONMinimisedDraft, branchValidators: [Int: [Int]]) {
    self.draft = draft
    self.minimised = minimised
    self.branchValidators = branchValidators
  }

  func program(validators: [JSONValidator]) -> JSONProgram {
    var writer = self
    let states = minimised.representatives().map { writer.state($0) }
    return JSONProgram(
      states: states, root: number(of: draft.root), tables: writer.tables, automata: writer.automata,
      decisions: writer.decisions, validators: validators)
  }

  private func number(of state: Int) -> Int32 { Int32(minimised.classes[state]) }

  private mutating func state(_ index: Int) -> JSONProgram.State {
    var state = JSONProgram.State()
    guard index >= 0, minimised.classes[index] != 0 else { return state }
    switch draft.states[index] {
    case .decision(let decision):
      state.decision = Int32(decisions.count)
      decisions.append(
        JSONProgram.Decision(
          takesFirst: decision.choice.takesFirst, validators: (branchValidators[index] ?? []).map(Int32.init),
          outcomes: decision.outcomes.map {
            decision.choice.takesFirst ? UInt64(minimised.classes[Int($0)]) : $0
          },
          states: decision.states.mapValues { number(of: $0) }))
    case .actions(let actions):
      state.boolean = action(actions[.boolean], in: index)
      state.number = action(actions[.number], in: index)
      state.string = action(actions[.string], in: index)
      state.array = action(actions[.array], in: index)
      state.object = action(actions[.object], in: index)
    }
    return state
  }

  private mutating func action(_ action: JSONDraft.Action, in state: Int) -> JSONProgram.Action {
    switch action {
    case .skip: return .init()
    case .wrongType(let always):
      return .init(code: minimised.isWrongType(always: always, in: state) ? .wrongType : .skip)
    case .leaf(let field): return .init(code: .leaf, operand: Int32(field))
    case .unsupported(let field): return .init(code: .unsupported, operand: Int32(field))
    case .object(let members):
      let live = members.map { ($0.name, number(of: $0.state)) }.filter { $0.1 != 0 }
      guard !live.isEmpty else { return .init() }
      tables.append(JSONNameTable(live))
      return .init(code: .object, operand: Int32(tables.count - 1))
    case .items(let next):
      return number(of: next) == 0 ? .init() : .init(code: .items, operand: number(of: next))
    case .indexedItems(let nodes):
      let states = Set(nodes.map { number(of: $0.state) })
      if let only = states.first, states.count == 1 {
        return only == 0 ? .init() : .init(code: .items, operand: only)
      }
      automata.append(nodes.map { .init(next: $0.next.map(Int32.init), state: number(of: $0.state)) })
      return .init(code: .indexedItems, operand: Int32(automata.count - 1))
    }
  }
}
