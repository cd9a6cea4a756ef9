/// A subject's name, taken apart where it is qualified with a context: `:.ctx:name` (specification B.6).
package struct Subject: Sendable, Hashable, CustomStringConvertible {
  /// As clients send it.
  package let name: String

  package init(_ name: String) { self.name = name }

  /// The subject of a topic's keys or values under the topic name strategy.
  package init(topic: String, isKey: Bool) { name = "\(topic)-\(isKey ? "key" : "value")" }

  /// The context with its dot; `nil` for the default one, written out (`:.:name`) or not.
  package var context: String? {
    guard name.hasPrefix(":."), let end = name.dropFirst(2).firstIndex(of: ":") else { return nil }
    let context = name[name.index(after: name.startIndex)..<end]
    return context == "." ? nil : String(context)
  }

  package var description: String { name }
}
