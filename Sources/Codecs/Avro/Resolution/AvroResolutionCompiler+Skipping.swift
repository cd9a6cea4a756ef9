// Fields that the reader lacks: their bytes have to be walked all the same.
extension AvroResolutionCompiler {
  /// The operation that leaves a value as it is, so that nothing is copied that is thrown away.
  mutating func skip(_ node: AvroSchema.NodeID) throws(AvroResolutionError) -> AvroResolutionProgram.Position
  {
    if let known = skipped[node] { return known }
    try enter()
    defer { depth -= 1 }
    let position: AvroResolutionProgram.Position
    switch writer[node].kind {
    case .record(let record):
      let index = program.records.count
      program.records.append(.init())
      position = add(.record(index))
      skipped[node] = position
      var steps: [Step] = []
      for field in record.fields {
        steps.append(.init(action: .value(try skip(field.type)), field: field.name))
      }
      finish(.init(steps: steps), at: position, index)
    case .enumeration(_, let symbols): position = add(symbols: Array(symbols.indices))
    case .array(let item): position = array(of: item, try skip(item))
    case .map(let value): position = add(.map(try skip(value)))
    case .union(let branches):
      var operations: [AvroResolutionProgram.Position?] = []
      for (number, branch) in branches.enumerated() {
        operations.append(add(.branch(number, try skip(branch))))
      }
      position = add(branches: operations)
    case let kind: position = add(copy(of: kind))
    }
    skipped[node] = position
    return position
  }
}
