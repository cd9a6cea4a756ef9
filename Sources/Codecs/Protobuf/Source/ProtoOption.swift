/// An option as it is written. The name is without white space: `deprecated`, `(confluent.field_meta).tags`.
package struct ProtoOption: Sendable, Hashable {
  package var name: String
  package var value: ProtoConstant

  package init(_ name: String, _ value: ProtoConstant) {
    self.name = name
    self.value = value
  }
}

/// The value of an option.
package indirect enum ProtoConstant: Sendable, Hashable {
  package struct Member: Sendable, Hashable {
    package var name: String
    package var value: ProtoConstant

    package init(_ name: String, _ value: ProtoConstant) {
      self.name = name
      self.value = value
    }
  }

  /// A number, boolean or identifier as it is spelled, with its sign.
  case word(String)
  /// What a quoted text stands for; adjacent texts are one.
  case text(String)
  /// A message in text format. A field that is given several times is one member with a list.
  case message([Member])
  case list([ProtoConstant])
}

extension [ProtoOption] {
  /// The extension of FieldOptions that carries tags, and its number (specification section D.1).
  package static var fieldMeta: (name: String, number: UInt32) { ("confluent.field_meta", 1088) }

  /// The inline tags of a field with these options, each once, in order.
  ///
  /// `packageName` is the file's: inside the package `confluent` the extension can be named without it. Throws a
  /// reason when something stands there that cannot be tags.
  func fieldTags(in packageName: String?) throws(ProtobufSchemaError) -> [String] {
    var tags: [String] = []
    for option in self {
      guard let path = option.pathInFieldMeta(packageName) else { continue }
      switch path {
      case "": try option.value.collectTags(into: &tags)
      case ".tags": try option.value.collectTexts(into: &tags)
      default: continue
      }
    }
    var seen: Set<String> = []
    return tags.filter { seen.insert($0).inserted }
  }
}

extension ProtoOption {
  /// What follows the parenthesis of an option that names the extension.
  fileprivate func pathInFieldMeta(_ packageName: String?) -> Substring? {
    guard name.first == "(", let end = name.firstIndex(of: ")") else { return nil }
    var extended = name[name.index(after: name.startIndex)..<end]
    if extended.first == "." { extended = extended.dropFirst() }
    let known = [ProtoOption].fieldMeta.name
    let isInside = packageName == "confluent" || packageName?.hasPrefix("confluent.") == true
    guard extended == known || isInside && "confluent.\(extended)" == known else { return nil }
    return name[name.index(after: end)...]
  }
}

extension ProtoConstant {
  /// The tags in a `Meta` message.
  fileprivate func collectTags(into tags: inout [String]) throws(ProtobufSchemaError) {
    guard case .message(let members) = self else {
      throw ProtobufSchemaError("\([ProtoOption].fieldMeta.name) must be a message")
    }
    for member in members where member.name == "tags" { try member.value.collectTexts(into: &tags) }
  }

  fileprivate func collectTexts(into tags: inout [String]) throws(ProtobufSchemaError) {
    switch self {
    case .text(let tag): tags.append(tag)
    case .list(let elements): for element in elements { try element.collectTexts(into: &tags) }
    case .word, .message: throw ProtobufSchemaError("tags must be strings")
    }
  }
}
