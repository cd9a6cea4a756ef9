/// Compiles a writer's schema, walked in step with the sink's, into one program.
///
/// At every value a set of schema pairs applies (``Item``), each with the field around it. Sets are made into
/// states once, as a set of grammar positions is made into a state of a parser; recursive schemas come back to
/// states that exist. Choices that a value takes are put in between as decisions.
struct JSONPlanCompiler {
  /// A pair of schemas that apply to the same value.
  struct Item: Hashable, Comparable {
    let writer: JSONSchema.NodeID
    let sink: JSONSchema.NodeID
    /// Position in ``contexts``.
    let context: Int

    static func < (one: Item, other: Item) -> Bool {
      (one.writer, one.sink, one.context) < (other.writer, other.sink, other.context)
    }
  }

  /// An `oneOf` or `anyOf`, by the schemas it stands in.
  struct Choice: Hashable {
    let item: Item
    let takesFirst: Bool
  }

  /// What applies to a value, references and `allOf` followed.
  struct StateKey: Hashable {
    var items: Set<Item> = []
    var choices: Set<Choice> = []
    /// Choices that have been made while others are left, lest a schema that leads back to itself has one made
    /// for ever.
    var made: Set<Choice> = []

    var isEmpty: Bool { items.isEmpty && choices.isEmpty }
  }

  let writer: JSONTagView
  let sink: JSONTagView
  /// Every set of so many branches of an `anyOf` has a state of its own. Of more branches single ones and pairs
  /// have, if this is not 1; a value that fits more at once is refused.
  let combinedBranches: Int
  private(set) var fields: [PlannedField] = []
  /// Leaves inside a field that a sealing rule hits, and that none hits all the same.
  private(set) var leftClear: [String] = []
  private var positions: [PlannedField: Int] = [:]
  var contexts: [JSONFieldContext] = []
  /// By context: that of the field around it, or -1.
  var parents: [Int] = []
  /// By context: the property that makes the field.
  var properties: [JSONSchema.NodeID?] = []
  var knownContexts: [ContextKey: Int] = [:]
  var validators = JSONValidatorTable()
  /// By schema node: whether tags are found on the walk from it.
  let writerReachesTags: [Bool]
  let sinkReachesTags: [Bool]

  private var states: [JSONDraft.State] = []
  private var keys: [StateKey] = []
  private var known: [StateKey: Int] = [:]

  /// How many states and contexts are accepted.
  static let maximumStates = 50_000

  /// Throws ``FieldPlanError``. Where combinations of branches are too many to be told in advance, those of
  /// fewer branches are.
  static func compile(
    writer: JSONTagView, sink: JSONTagView
  ) throws(FieldPlanError) -> (program: JSONProgram, fields: [PlannedField], leftClear: [String]) {
    for combinedBranches in [5, 2, 1] {
      var compiler = JSONPlanCompiler(writer: writer, sink: sink, combinedBranches: combinedBranches)
      do throws(FieldPlanError) {
        return (try compiler.compile(), compiler.fields, compiler.leftClear)
      } catch .tooManyAlternatives where combinedBranches > 1 {
        continue
      }
    }
    throw .tooManyAlternatives("$")
  }

  private init(writer: JSONTagView, sink: JSONTagView, combinedBranches: Int) {
    self.writer = writer
    self.sink = sink
    self.combinedBranches = combinedBranches
    writerReachesTags = writer.schema.reachesTags(everywhere: writer.rules.selectors.contains(.everyField))
    sinkReachesTags = sink.schema.reachesTags(everywhere: sink.rules.selectors.contains(.everyField))
  }

  private mutating func compile() throws(FieldPlanError) -> JSONProgram {
    _ = try state(StateKey())
    let outside = JSONFieldContext(
      writerPath: JSONPathProgress(writer.rules), sinkPath: JSONPathProgress(sink.rules))
    let context = try context(outside, in: -1, at: nil)
    let root = try state([Item(writer: writer.schema.root, sink: sink.schema.root, context: context)])
    while states.count < keys.count { states.append(try draft(keys[states.count])) }
    let draft = JSONDraft(states: states, root: root)
    var minimised = JSONMinimisedDraft(draft)
    minimised.run()
    let branchValidators = try validators(of: minimised)
    return JSONProgramWriter(draft: draft, minimised: minimised, branchValidators: branchValidators)
      .program(validators: validators.validators)
  }

  /// The validators of the branches, by state, of the decisions that are left.
  private mutating func validators(of minimised: JSONMinimisedDraft) throws(FieldPlanError) -> [Int: [Int]] {
    var branchValidators: [Int: [Int]] = [:]
    for state in minimised.representatives() {
      guard case .decision(let decision) = states[state] else { continue }
      branchValidators[state] = try validators(of: decision.choice, keys[state])
    }
    try compileValidators()
    return branchValidators
  }

  // MARK: States

  /// The state of a value that `items` apply to. It is drafted later.
  mutating func state(_ items: [Item]) throws(FieldPlanError) -> Int { try state(try expanded(items)) }

  mutating func state(_ key: StateKey) throws(FieldPlanError) -> Int {
    if let state = known[key] { return state }
    guard keys.count < Self.maximumStates else { throw .tooManyAlternatives("$") }
    keys.append(key)
    known[key] = keys.count - 1
    return keys.count - 1
  }

  /// Follows references and `allOf`, leaving out what can have no part in any plan.
  func expanded(_ items: [Item]) throws(FieldPlanError) -> StateKey {
    var key = StateKey()
    var pending = items
    while let item = pending.popLast() {
      guard isOfInterest(item), key.items.insert(item).inserted else { continue }
      let node = sink.schema[item.sink]
      let context = contexts[item.context]
      guard sink.rules.naming(node.tags).isSubset(of: context.hits.sealing) else {
        throw .unreachableTag(node.path)
      }
      if let target = target(of: item) {
        pending.append(target)
        continue
      }
      switch sink.schema.steps[item.sink].combination {
      case .all?: pending += branches(of: item)
      case .first?: key.choices.insert(Choice(item: item, takesFirst: true))
      case .every?: key.choices.insert(Choice(item: item, takesFirst: false))
      case nil: break
      }
    }
    return key
  }

  private func isOfInterest(_ item: Item) -> Bool {
    let context = contexts[item.context]
    return !context.hits.isEmpty || context.isTagged || context.isUnderTag || !context.isOutOfReach
      || writerReachesTags[item.writer] || sinkReachesTags[item.sink]
  }

  /// The branches of an item's combination, as alternatives where a value chooses.
  func branches(of item: Item, in context: Int? = nil) -> [Item] {
    zip(writer.schema.steps[item.writer].branches, sink.schema.steps[item.sink].branches)
      .map { Item(writer: $0, sink: $1, context: context ?? item.context) }
  }

  /// What an item refers to. One schema may define in place what the other refers to.
  func target(of item: Item) -> Item? {
    let target = Item(
      writer: writer.schema.steps[item.writer].reference ?? item.writer,
      sink: sink.schema.steps[item.sink].reference ?? item.sink, context: item.context)
    return target == item ? nil : target
  }

  private mutating func draft(_ key: StateKey) throws(FieldPlanError) -> JSONDraft.State {
    // Any order will do; the same one every time makes plans reproducible.
    if let choice = key.choices.min(by: { $0.item < $1.item }) { return .decision(try decide(choice, key)) }
    return .actions(try actions(key.items.sorted()))
  }

  // MARK: Fields

  mutating func noteLeftClear(_ item: Item) {
    let name = contexts[item.context].name
    if !leftClear.contains(name) { leftClear.append(name) }
  }

  /// The position among the planned fields of the leaf that `items` make.
  mutating func plan(_ type: PlannedField.LeafType, _ items: [Item]) -> Int {
    var hits = JSONRuleHits()
    for item in items { hits.formUnion(contexts[item.context].hits) }
    let field = PlannedField(
      name: items.first.map { contexts[$0.context].name } ?? "", type: type, opening: hits.opening,
      sealing: hits.sealing,
      isInUnion: items.contains { contexts[$0.context].isInUnion || writer.schema[$0.writer].hasTypeList })
    if let known = positions[field] { return known }
    fields.append(field)
    positions[field] = fields.count - 1
    return fields.count - 1
  }
}

extension JSONSchema {
  /// By node: whether the walk from it meets tags.
  fileprivate func reachesTags(everywhere: Bool) -> [Bool] {
    guard !everywhere else { return [Bool](repeating: true, count: nodes.count) }
    var reaches = nodes.map { !$0.tags.isEmpty }
    var predecessors = [[NodeID]](repeating: [], count: nodes.count)
    for node in nodes.indices {
      for next in steps[node].walked { predecessors[next].append(node) }
    }
    var pending = nodes.indices.filter { reaches[$0] }
    while let node = pending.popLast() {
      for predecessor in predecessors[node] where !reaches[predecessor] {
        reaches[predecessor] = true
        pending.append(predecessor)
      }
    }
    return reaches
  }
}
