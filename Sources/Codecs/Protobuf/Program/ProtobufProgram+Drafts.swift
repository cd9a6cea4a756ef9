extension ProtobufProgram {
  /// Lays out compiled messages, leaving out fields whose messages have nothing in them to touch.
  init(drafts: [[Field]], names: [String], root: Int) {
    let isTouched = Self.reached(drafts) {
      $0.code == .leaf || $0.unsupported >= 0
    } through: { _ in
      true
    }
    let sealsAbsent = Self.reached(drafts) {
      $0.sealsAbsent
    } through: {
      $0.isSingular
    }
    self.root = root
    self.names = names
    for (index, draft) in drafts.enumerated() {
      let kept = draft.filter { field in
        field.code != .message || field.unsupported >= 0 || isTouched[Int(field.target)]
      }
      messages.append(
        Message(
          fields: fields.count..<fields.count + kept.count, absentCount: kept.count { $0.sealsAbsent },
          sealsAbsent: sealsAbsent[index],
          numbers: kept.reduce(0) { $0 | 1 << UInt64(min($1.number, 63)) }))
      fields += kept
    }
  }

  /// Which messages have a field that `condition` holds for, or a message in a field that `passage` lets through
  /// that has one, and so on.
  private static func reached(
    _ drafts: [[Field]], if condition: (Field) -> Bool, through passage: (Field) -> Bool
  ) -> [Bool] {
    var reached = drafts.map { $0.contains(where: condition) }
    /// The messages that hold each one.
    var holders = [[Int]](repeating: [], count: drafts.count)
    for (index, draft) in drafts.enumerated() {
      for field in draft where field.code == .message && passage(field) {
        holders[Int(field.target)].append(index)
      }
    }
    var pending = reached.indices.filter { reached[$0] }
    while let index = pending.popLast() {
      for holder in holders[index] where !reached[holder] {
        reached[holder] = true
        pending.append(holder)
      }
    }
    return reached
  }
}
