import JSON
import KeyManagement
import RegistryServer

/// Plays a transcript to a fresh server and collects what differs.
struct Replay {
  private let client: RawHTTPClient
  /// What the server answered so far, by step.
  private var answers: [String: JSONValue] = [:]

  /// The names of the steps whose answers differ, with what was different.
  static func differences(_ transcript: Transcript) async throws -> [(step: String, what: String)] {
    var options = RegistryServer.Options()
    options.dropsRules = transcript.server["stock"]?.bool == true
    options.maximumKeys = transcript.server["maxKeys"]?.integer ?? options.maximumKeys
    // Where the transcript does not say, it was recorded with a secret.
    let secret = transcript.server["localSecret"]
    let environment = secret?.isNull == true ? [:] : ["LOCAL_SECRET": secret?.string ?? "mysecret"]
    options.drivers = KMSDrivers([LocalKMS(environment: environment)])

    let server = try RegistryServer(options)
    var replay = Replay(client: try RawHTTPClient(await server.start()))
    var differences: [(step: String, what: String)] = []
    for step in transcript.steps {
      if let what = try await replay.play(step) { differences.append((step.name, what)) }
    }
    await server.stop()
    return differences
  }

  private init(client: RawHTTPClient) { self.client = client }

  private mutating func play(_ step: Transcript.Step) async throws -> String? {
    let headers = step.members["requestHeaders"]?.object?.map { ($0.name, $0.value.string ?? "") } ?? []
    let body = step.members["requestBody"].map { filled($0).serialized() }
    let response = try await client.send(
      step.members["method"]?.string ?? "", filled(text: step.members["path"]?.string ?? ""),
      headers: headers, body: body ?? step.members["requestText"]?.string)
    return difference(step, response)
  }

  private mutating func difference(_ step: Transcript.Step, _ response: RawHTTPClient.Response) -> String? {
    let answer = try? JSONValue(parsing: response.body)
    answers[step.name] = answer
    guard response.status == step.status else {
      return "status \(response.status), expected \(step.status): \(response.text)"
    }
    let contentType = response.headers["content-type"]
    guard contentType == step.members["contentType"]?.string else {
      return "content type \(contentType ?? "absent")"
    }
    if let allow = step.members["allow"]?.string, response.headers["allow"] != allow {
      return "Allow \(response.headers["allow"] ?? "absent")"
    }
    if let text = step.members["responseText"]?.string {
      return response.text == text ? nil : "text \(response.text)"
    }
    guard let expected = step.members["responseBody"], let answer else { return "no JSON: \(response.text)" }
    return difference(step, expected, answer)
  }

  /// Compares documents, the order of members included, after putting the values that may differ into the
  /// expected one.
  private func difference(_ step: Transcript.Step, _ expected: JSONValue, _ answer: JSONValue) -> String? {
    var expected = expected
    var free = step.any
    if Self.quotesParser(step, expected) { free.append("/message") }
    for pointer in free {
      guard let value = answer[pointer: pointer], value.kindName == expected[pointer: pointer]?.kindName
      else {
        return "nothing like it at \(pointer): \(answer.serialized())"
      }
      expected = expected.replacing(pointer[...], by: value)
    }
    for (pointer, place) in step.same {
      let parts = place.split(separator: "/", maxSplits: 1).map(String.init)
      guard parts.count == 2, let value = answers[parts[0]]?[pointer: parts[1]] else { return "no \(place)" }
      expected = expected.replacing(pointer[...], by: value)
    }
    return expected == answer ? nil : "\(answer.serialized()), expected \(expected.serialized())"
  }

  /// Whether the message quotes the genuine server's parser or a class of it.
  private static func quotesParser(_ step: Transcript.Step, _ body: JSONValue) -> Bool {
    let message = body["message"]?.string ?? ""
    return step.status == 400 || message.hasPrefix("Invalid schema of type")
      || message.hasPrefix("Invalid schema {")
  }
}

// MARK: - Values of earlier answers

extension Replay {
  /// A string that is nothing but one `${step.field}` becomes the value; others have the text put in.
  private func filled(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string(let text):
      if text.hasPrefix("${"), text.hasSuffix("}"), let value = earlier(text.dropFirst(2).dropLast()) {
        return value
      }
      return .string(filled(text: text))
    case .array(let elements): return .array(elements.map(filled))
    case .object(var members):
      for (name, member) in members { members[name] = filled(member) }
      return .object(members)
    default: return value
    }
  }

  private func filled(text: String) -> String {
    text.replacing(/\$\{([^}]*)\}/) { match in
      switch earlier(match.1) {
      case .string(let text)?, .number(let text)?: text
      default: String(match.0)
      }
    }
  }

  /// The value at `step.field.field`.
  private func earlier(_ place: Substring) -> JSONValue? {
    let parts = place.split(separator: ".")
    guard let step = parts.first else { return nil }
    return answers[String(step)]?[pointer: parts.dropFirst().joined(separator: "/")]
  }
}
