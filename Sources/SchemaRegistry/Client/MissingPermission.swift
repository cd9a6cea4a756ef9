internal import Foundation

/// What a registry's refusal (403) is about: who may fix it needs a role and a resource, not a status.
///
/// Registries with Confluent's access control say `User is denied operation Read on Kek: pii`, with error code
/// 40301. Where another one says less, method and path tell.
struct MissingPermission: Hashable {
  /// `Read`, `Write`, `Delete` or, for new KEKs, `Register`.
  let operation: String
  /// Such as `Kek:pii` or `Subject:orders-value`.
  let resources: [String]

  /// Reads the registry's own words.
  init?(message: String) {
    guard let start = message.range(of: "denied operation ")?.upperBound else { return nil }
    let words = message[start...].split(separator: " ", maxSplits: 3)
    guard words.count >= 3, words[1] == "on" else { return nil }
    operation = String(words[0])
    let kind = words[2].prefix { $0 != ":" }
    let name = words.count == 4 ? words[3].prefix { $0 != ";" && $0 != "," } : ""
    resources = ["\(kind):\(name)"]
  }

  /// Concludes from the request, given as `METHOD /path`; `nil` when nothing follows from it.
  init?(request: String) {
    let parts = request.split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    operation = parts[0] == "GET" ? "Read" : parts[0] == "DELETE" ? "Delete" : "Write"
    let segments = parts[1].split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
    var resources: [String] = []
    for (kind, collection) in [("Kek", "keks"), ("Subject", "deks"), ("Subject", "subjects")] {
      guard let place = segments.firstIndex(of: collection), place + 1 < segments.count else { continue }
      resources.append("\(kind):\(segments[place + 1])")
    }
    guard !resources.isEmpty else { return nil }
    self.resources = resources
  }

  /// What to do about it.
  var advice: String {
    let role =
      switch operation {
      case "Read": "DeveloperRead (or DeveloperWrite or ResourceOwner)"
      case "Delete": "ResourceOwner"
      default: "DeveloperWrite (or ResourceOwner)"
      }
    let names = resources.joined(separator: " and ")
    return "the registry's credentials lack the permission \(operation) on \(names); "
      + "bind the role \(role) on \(names) to their principal"
  }
}
