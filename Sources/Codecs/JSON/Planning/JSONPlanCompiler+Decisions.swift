// `oneOf` and `anyOf`: which branches a value can take, and what applies after each outcome.
extension JSONPlanCompiler {
  mutating func decide(_ choice: Choice, _ key: StateKey) throws(FieldPlanError) -> JSONDraft.Decision {
    let rest = key.making(choice)
    let branches = self.branches(of: choice.item, in: try contextInUnion(choice.item.context))
    var additions: [StateKey] = []
    for branch in branches { additions.append(try expanded([branch])) }
    var decision = JSONDraft.Decision(choice: choice)
    if choice.takesFirst {
      for addition in additions { decision.outcomes.append(UInt64(try state(rest.adding(addition).settled))) }
    } else {
      try decideEvery(additions, rest, &decision, choice)
    }
    return decision
  }

  private mutating func decideEvery(
    _ additions: [StateKey], _ rest: StateKey, _ decision: inout JSONDraft.Decision, _ choice: Choice
  ) throws(FieldPlanError) {
    guard additions.count <= 64 else { throw .tooManyAlternatives(writer.schema[choice.item.writer].path) }
    var bits: [StateKey] = []
    for addition in additions {
      decision.outcomes.append(addition.isEmpty ? 0 : 1 << UInt64(bits.count))
      if !addition.isEmpty { bits.append(addition) }
    }
    decision.states[0] = try state(rest.settled)
    for set in sets(of: bits.count) {
      var key = rest
      for (bit, addition) in bits.enumerated() where set >> UInt64(bit) & 1 == 1 {
        key = key.adding(addition)
      }
      decision.states[set] = try state(key.settled)
    }
  }

  /// The sets of branches that a value may fit at once.
  private func sets(of count: Int) -> [UInt64] {
    guard count > combinedBranches else { return Array(1..<(1 << UInt64(count))) }
    let singles = (0..<count).map { 1 << UInt64($0) as UInt64 }
    guard combinedBranches > 1 else { return singles }
    return singles + singles.flatMap { one in singles.filter { $0 < one }.map { $0 | one } }
  }

  /// The validators that tell branches apart. Whatever any branch, or anything else that applies to the value,
  /// might seal is left out of account in all of them, so that a record takes the same way before and after.
  mutating func validators(of choice: Choice, _ key: StateKey) throws(FieldPlanError) -> [Int] {
    var applying = Array(key.items)
    for choice in key.choices {
      applying += branches(of: choice.item, in: try contextInUnion(choice.item.context))
    }
    let mask = everything(applying)
    var validators: [Int] = []
    for branch in branches(of: choice.item) {
      validators.append(try validator(of: branch.writer, branch.sink, beside: mask))
    }
    return validators
  }
}

extension JSONPlanCompiler.StateKey {
  fileprivate func making(_ choice: JSONPlanCompiler.Choice) -> Self {
    var rest = self
    rest.choices.remove(choice)
    rest.made.insert(choice)
    return rest
  }

  fileprivate func adding(_ other: Self) -> Self {
    Self(items: items.union(other.items), choices: choices.union(other.choices).subtracting(made), made: made)
  }

  /// What is left to be done at the value; choices that have been made only matter while there are others.
  fileprivate var settled: Self { choices.isEmpty ? Self(items: items) : self }
}
