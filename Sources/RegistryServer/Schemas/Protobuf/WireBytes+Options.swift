internal import Codecs

extension WireBytes {
  /// The options message of a descriptor, or `nil` when none of the options belongs in it.
  init?(options: [ProtoOption], _ table: ProtoOptionTable) {
    self.init()
    for entry in table.entries.sorted(by: { $0.number < $1.number }) {
      guard let value = options.last(where: { $0.name == entry.name })?.value else { continue }
      switch (entry.kind, value) {
      case (.boolean, .word(let word)): add(entry.number, Int32(word == "true" ? 1 : 0))
      case (.text, .text(let text)): add(entry.number, text)
      case (.enumeration(let names), .word(let word)):
        add(entry.number, names.firstIndex(of: word).map { Int32($0) })
      default: continue
      }
    }
    if let name = table.meta { add([ProtoOption].fieldMeta.number, WireBytes(meta: name, in: options)) }
    if bytes.isEmpty { return nil }
  }

  /// A `confluent.Meta` (specification section D.1) out of options that give it as a whole or member by member.
  private init?(meta name: String, in options: [ProtoOption]) {
    self.init()
    var members: [ProtoConstant.Member] = []
    for option in options {
      let path = option.name.replacing("(.", with: "(", maxReplacements: 1)
      if path == "(\(name))", case .message(let whole) = option.value {
        members += whole
      } else if path.hasPrefix("(\(name)).") {
        members.append(.init(String(path.dropFirst(name.count + 3)), option.value))
      }
    }
    guard !members.isEmpty else { return nil }
    add(1, members.texts("doc").last)
    for entry in members.messages("params") {
      var pair = WireBytes()
      pair.add(1, entry.texts("key").last)
      pair.add(2, entry.texts("value").last)
      add(2, pair)
    }
    for tag in members.texts("tags") { add(3, tag) }
    for rule in members.messages("rules") {
      var bytes = WireBytes()
      for (number, member) in [(UInt32(1), "name"), (2, "doc"), (3, "expr"), (4, "sql")] {
        bytes.add(number, rule.texts(member).last)
      }
      add(4, bytes)
    }
  }
}

extension [ProtoConstant.Member] {
  private func values(_ name: String) -> [ProtoConstant] {
    filter { $0.name == name }.flatMap { member in
      if case .list(let elements) = member.value { return elements }
      return [member.value]
    }
  }

  fileprivate func texts(_ name: String) -> [String] {
    values(name).compactMap { value in
      if case .text(let text) = value { return text }
      return nil
    }
  }

  fileprivate func messages(_ name: String) -> [[ProtoConstant.Member]] {
    values(name).compactMap { value in
      if case .message(let members) = value { return members }
      return nil
    }
  }
}
