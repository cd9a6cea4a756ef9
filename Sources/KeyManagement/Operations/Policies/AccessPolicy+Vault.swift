internal import Foundation

extension AccessPolicy {
  /// A policy in HCL. Paths are relative to the namespace.
  static func vault(_ request: Request) -> AccessPolicy? {
    var paths: [String] = []
    for keyID in request.keyIDs {
      let text = keyID.contains("://") ? keyID : "https://\(keyID)"
      guard let url = URLComponents(string: text) else { return nil }
      let segments = url.path.split(separator: "/").map(String.init)
      guard segments.count >= 3, segments[segments.count - 2] == "keys",
        !url.path.contains("\""), !url.path.contains("\\")
      else { return nil }
      for operation in request.operations {
        let mount = segments.dropLast(2).joined(separator: "/")
        paths.append("\(mount)/\(operation == .wrap ? "encrypt" : "decrypt")/\(segments[segments.count - 1])")
      }
    }
    let blocks = paths.map { "path \"\($0)\" {\n  capabilities = [\"update\"]\n}" }
    return AccessPolicy(
      .hcl(blocks.joined(separator: "\n\n") + "\n"),
      hint: "vault policy write \(request.principal ?? "NAME") POLICY.hcl")
  }
}
