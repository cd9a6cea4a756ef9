// Arrays. Items do not make fields; their index takes part only in the names of fields further in.
extension JSONPlanCompiler {
  mutating func elements(of items: [Item]) throws(FieldPlanError) -> JSONDraft.Action {
    var opened: [Item] = []
    for item in items {
      let (steps, others) = (writer.schema.steps[item.writer], sink.schema.steps[item.sink])
      guard let node = steps.items, let other = others.items else { continue }
      opened.append(try reading("[", in: Item(writer: node, sink: other, context: item.context)))
    }
    guard opened.contains(where: { !contexts[$0.context].isIndexDead }) else {
      return .items(try state(try reading("]", in: opened)))
    }
    return .indexedItems(try indexNodes(opened))
  }

  /// One node for each way in which the digits read so far have moved the patterns.
  private mutating func indexNodes(_ opened: [Item]) throws(FieldPlanError) -> [JSONDraft.IndexNode] {
    var nodes: [JSONDraft.IndexNode] = []
    var readings = [opened]
    var known = [opened: 0]
    while nodes.count < readings.count {
      let reading = readings[nodes.count]
      var node = JSONDraft.IndexNode(state: try state(try self.reading("]", in: reading)))
      for digit in 0...9 {
        let next = try self.reading("\(digit)", in: reading)
        if known[next] == nil {
          guard readings.count < Self.maximumStates else { throw .tooManyAlternatives(contexts[0].name) }
          known[next] = readings.count
          readings.append(next)
        }
        node.next.append(known[next] ?? 0)
      }
      nodes.append(node)
    }
    return nodes
  }

  /// The item as it is at any index.
  mutating func readingAnyIndex(in item: Item) throws(FieldPlanError) -> [Item] {
    var readings = [try reading("[", in: item)]
    var known = Set(readings)
    var closed: [Item] = []
    while let next = readings.popLast() {
      closed.append(try reading("]", in: next))
      for digit in 0...9 {
        let longer = try reading("\(digit)", in: next)
        if known.insert(longer).inserted { readings.append(longer) }
      }
    }
    return closed
  }

  private mutating func reading(_ text: String, in items: [Item]) throws(FieldPlanError) -> [Item] {
    var read: [Item] = []
    for item in items { read.append(try reading(text, in: item)) }
    return read
  }
}
