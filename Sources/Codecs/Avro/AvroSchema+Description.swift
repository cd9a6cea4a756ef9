extension AvroSchema {
  /// A type in a few words, for messages about differences in structure.
  func described(_ node: NodeID) -> String {
    let logical = logicalDescription(nodes[node])
    switch nodes[node].kind {
    case .record(let record):
      return "a record with fields \(record.fields.map(\.name).joined(separator: ", "))"
    case .enumeration(_, let symbols): return "an enum of \(symbols.joined(separator: ", "))\(logical)"
    case .fixed(_, let size): return "fixed of \(size) bytes\(logical)"
    case .union(let branches):
      return "a union of "
        + branches.map { typeName(of: $0) ?? nodes[$0].kind.typeName }.joined(separator: ", ")
    case let kind: return kind.typeName + logical
    }
  }

  /// The same with the name of a named type, where names matter too.
  func describedByName(_ node: NodeID) -> String {
    typeName(of: node).map { "\($0), \(described(node))," } ?? described(node)
  }

  private func logicalDescription(_ node: Node) -> String {
    guard let type = node.logicalType else { return "" }
    return node.decimal.map { " (decimal, \($0.precision) digits, \($0.scale) after the point)" }
      ?? " (\(type))"
  }
}
