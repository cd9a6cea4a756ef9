extension [ProtoOption] {
  /// The options of one descriptor, those a registry keeps.
  init(descriptor: DescriptorFields?, _ table: ProtoOptionTable) throws(ProtobufSchemaError) {
    self.init()
    guard let descriptor else { return }
    for entry in table.entries where descriptor.has(entry.number) {
      let number = descriptor.integer(entry.number) ?? 0
      switch entry.kind {
      case .boolean: append(ProtoOption(entry.name, .word(number != 0 ? "true" : "false")))
      case .text: append(ProtoOption(entry.name, .text(descriptor.text(entry.number) ?? "")))
      case .enumeration(let names):
        guard names.indices.contains(Int(number)) else { continue }
        append(ProtoOption(entry.name, .word(names[Int(number)])))
      }
    }
    if let name = table.meta, let meta = try descriptor.message([ProtoOption].fieldMeta.number) {
      let members = try ProtoConstant.members(ofMeta: meta)
      if !members.isEmpty { append(ProtoOption("(\(name))", .message(members))) }
    }
  }
}

extension ProtoConstant {
  /// A `confluent.Meta` (specification section D.1) in the order in which a registry prints it.
  fileprivate static func members(ofMeta meta: DescriptorFields) throws(ProtobufSchemaError) -> [Member] {
    var members: [Member] = []
    if let doc = meta.text(1), !doc.isEmpty { members.append(Member("doc", .text(doc))) }
    var parameters: [ProtoConstant] = []
    for entry in try meta.messages(2) {
      let pair = [Member("key", .text(entry.text(1) ?? "")), Member("value", .text(entry.text(2) ?? ""))]
      // These two were printed the other way round before, and still are.
      let isOld = ["precision", "scale"].contains(entry.text(1))
      parameters.append(.message(isOld ? pair.reversed() : pair))
    }
    if !parameters.isEmpty { members.append(Member("params", .list(parameters))) }
    let tags = meta.texts(3)
    if !tags.isEmpty { members.append(Member("tags", .list(tags.map { .text($0) }))) }
    var rules: [ProtoConstant] = []
    for rule in try meta.messages(4) {
      let names: [(UInt32, String)] = [(1, "name"), (2, "doc"), (3, "expr"), (4, "sql")]
      let texts = names.compactMap { number, name in
        rule.text(number).flatMap { $0.isEmpty ? nil : Member(name, .text($0)) }
      }
      if !texts.isEmpty { rules.append(.message(texts)) }
    }
    if !rules.isEmpty { members.append(Member("rules", .list(rules))) }
    return members
  }
}
