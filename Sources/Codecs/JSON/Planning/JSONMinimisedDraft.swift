/// Finds which states of a draft come to the same, by splitting classes until nothing tells their members apart.
///
/// A decision between states that come to the same is left out: then it does not matter whether a value can be told
/// to take one branch or another.
struct JSONMinimisedDraft {
  /// What tells states apart, in terms of the classes of the states they lead to.
  private typealias Signature = [Part]

  private enum Part: Hashable {
    case skip, wrongType, object, end
    case leaf(Int)
    case unsupported(Int)
    case items(Int)
    case member(String, Int)
    case indexNode([Int], Int)
    case choice(JSONPlanCompiler.Choice)
    case outcome(UInt64, Int)
  }

  private let draft: JSONDraft
  /// By state: whether anything is planned there or further in.
  private var isLive: [Bool]
  /// By state: the class. Class 0 has nothing to do.
  private(set) var classes: [Int]
  /// By decision that is none: the state to go to instead.
  private var aliases: [Int: Int] = [:]

  init(_ draft: JSONDraft) {
    self.draft = draft
    isLive = [Bool](repeating: false, count: draft.states.count)
    classes = [Int](repeating: 0, count: draft.states.count)
  }

  mutating func run() {
    findLiveStates()
    repeat { split() } while leaveOutDecisions()
  }

  /// A state of this class that is no decision left out.
  func representatives() -> [Int] {
    var representatives = [Int](repeating: -1, count: (classes.max() ?? 0) + 1)
    for state in classes.indices where aliases[state] == nil && representatives[classes[state]] < 0 {
      representatives[classes[state]] = state
    }
    return representatives
  }

  /// What a soft ``JSONDraft/Action/wrongType(always:)`` comes to.
  func isWrongType(always: Bool, in state: Int) -> Bool { always || isLive[state] }

  // MARK: Liveness

  private mutating func findLiveStates() {
    var predecessors = [[Int]](repeating: [], count: draft.states.count)
    var pending: [Int] = []
    for (state, content) in draft.states.enumerated() {
      for next in Self.next(of: content) { predecessors[next].append(state) }
      if Self.plansSomething(content) { pending.append(state) }
    }
    while let state = pending.popLast() {
      guard !isLive[state] else { continue }
      isLive[state] = true
      pending += predecessors[state].filter { !isLive[$0] }
    }
  }

  private static func next(of state: JSONDraft.State) -> [Int] {
    switch state {
    case .decision(let decision): decision.next
    case .actions(let actions):
      actions.byKind.flatMap { action -> [Int] in
        switch action {
        case .object(let members): members.map(\.state)
        case .items(let state): [state]
        case .indexedItems(let nodes): nodes.map(\.state)
        default: []
        }
      }
    }
  }

  private static func plansSomething(_ state: JSONDraft.State) -> Bool {
    guard case .actions(let actions) = state else { return false }
    return actions.byKind.contains { action in
      switch action {
      case .leaf, .unsupported, .wrongType(always: true): true
      default: false
      }
    }
  }

  // MARK: Classes

  /// Only states that lead to a class that was split are looked at again.
  private mutating func split() {
    classes = isLive.map { $0 ? 1 : 0 }
    let predecessors = livePredecessors()
    var dirty = draft.states.indices.filter { isLive[$0] && aliases[$0] == nil }
    var sizes = [draft.states.count - dirty.count, dirty.count]
    // What the members of a class have in common, as far as they are not dirty.
    var signatures: [Signature?] = [nil, nil]
    while !dirty.isEmpty {
      var moved: [(state: Int, to: Int)] = []
      for (old, members) in Dictionary(grouping: dirty, by: { classes[$0] }).sorted(by: { $0.key < $1.key }) {
        var groups = Dictionary(grouping: members, by: { signature(of: $0) })
        if sizes[old] == members.count {
          signatures[old] = groups.max { ($0.value.count, $1.value[0]) < ($1.value.count, $0.value[0]) }?.key
        }
        if let stays = signatures[old] { groups[stays] = nil }
        for (signature, group) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
          moved += group.map { ($0, sizes.count) }
          sizes[old] -= group.count
          sizes.append(group.count)
          signatures.append(signature)
        }
      }
      for (state, new) in moved { classes[state] = new }
      dirty = Set(moved.flatMap { predecessors[$0.state] }).sorted()
    }
    for state in aliases.keys { classes[state] = classes[target(of: state)] }
  }

  /// By state: the live ones that lead to it, decisions left out.
  private func livePredecessors() -> [[Int]] {
    var predecessors = [[Int]](repeating: [], count: draft.states.count)
    for (state, content) in draft.states.enumerated() where isLive[state] && aliases[state] == nil {
      for next in Self.next(of: content) { predecessors[target(of: next)].append(state) }
    }
    return predecessors
  }

  /// The class of a state that is led to.
  private func reached(_ state: Int) -> Int { classes[target(of: state)] }

  /// Where a chain of decisions left out ends.
  private func target(of state: Int) -> Int {
    var state = state
    while let next = aliases[state] { state = next }
    return state
  }

  private func signature(of state: Int) -> Signature {
    var signature: Signature = []
    switch draft.states[state] {
    case .decision(let decision):
      signature.append(.choice(decision.choice))
      for (branch, outcome) in decision.outcomes.enumerated() where decision.choice.takesFirst {
        signature.append(.outcome(UInt64(branch), reached(Int(outcome))))
      }
      for (set, next) in decision.states.sorted(by: { $0.key < $1.key }) {
        signature.append(.outcome(set, reached(next)))
      }
    case .actions(let actions):
      for action in actions.byKind { append(action, of: state, to: &signature) }
    }
    return signature
  }

  private func append(_ action: JSONDraft.Action, of state: Int, to parts: inout [Part]) {
    switch action {
    case .skip: parts.append(.skip)
    case .wrongType(let always): parts.append(isWrongType(always: always, in: state) ? .wrongType : .skip)
    case .leaf(let field): parts.append(.leaf(field))
    case .unsupported(let field): parts.append(.unsupported(field))
    case .items(let next): parts.append(.items(reached(next)))
    case .indexedItems(let nodes): parts += nodes.map { .indexNode($0.next, reached($0.state)) }
    case .object(let members):
      let live = members.filter { isLive[$0.state] }.map { ($0.name, reached($0.state)) }
      parts += [.object] + live.sorted { $0.0 < $1.0 }.map { .member($0.0, $0.1) }
    }
    parts.append(.end)
  }

  /// Leaves out decisions whose outcomes are all the same; says whether there were any.
  private mutating func leaveOutDecisions() -> Bool {
    var found = false
    for (state, content) in draft.states.enumerated() where aliases[state] == nil && isLive[state] {
      guard case .decision(let decision) = content, let first = decision.next.first,
        decision.next.allSatisfy({ classes[$0] == classes[first] }), target(of: first) != state
      else { continue }
      aliases[state] = first
      found = true
    }
    return found
  }
}
