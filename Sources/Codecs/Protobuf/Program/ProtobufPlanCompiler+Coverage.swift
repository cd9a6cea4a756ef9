// What the tag of a field around it does not reach.
extension ProtobufPlanCompiler {
  private struct Visit: Hashable {
    let pair: Pair
    /// Whether a sealing rule hits a field around it.
    let isUnderTag: Bool
    /// Whether the field right around it stands for its plain fields, which are refused with it; see
    /// ``container(_:holding:)``.
    let isReached: Bool
  }

  /// The fields without parts, by full name, inside of fields that a sealing rule hits and hit by none themselves; see
  /// ``FieldPlan/leftClear``. To be asked for once all messages are compiled, so that they are known to go together.
  func leftClear(below root: Pair) -> [String] {
    var names: [String] = []
    var known: Set<String> = []
    var visits = [Visit(pair: root, isUnderTag: false, isReached: false)]
    var seen = Set(visits)
    var next = 0
    while next < visits.count {
      let visit = visits[next]
      next += 1
      let message = writer.schema[visit.pair.writer]
      let other = sink.schema[visit.pair.sink]
      func leave(_ field: ProtobufSchema.Field) {
        let name = "\(message.fullName).\(field.name)"
        if known.insert(name).inserted { names.append(name) }
      }
      for (field, otherField) in values(of: visit.pair) {
        let isHit = !hits(on: otherField, in: other, sink.rules).isEmpty
        if case (.message(let inner), .message(let otherInner)) = (field.type, otherField.type) {
          let entry = writer.schema[inner]
          let inside = Visit(
            pair: Pair(writer: inner, sink: otherInner), isUnderTag: visit.isUnderTag || isHit,
            isReached: isHit && (entry.isPlainMap || sink.rules.containerTagsReachChildren))
          if seen.insert(inside).inserted { visits.append(inside) }
        } else if visit.isUnderTag, !isHit, !(visit.isReached && (field.type.isScalar || message.isMapEntry))
        {
          leave(field)
        }
      }
      if visit.isUnderTag { other.extensions.forEach(leave) }
    }
    return names
  }
}

extension ProtobufSchema.FieldType {
  fileprivate var isScalar: Bool {
    if case .scalar = self { return true }
    return false
  }
}
