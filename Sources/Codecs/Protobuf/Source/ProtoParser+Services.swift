// Services. Each function begins behind the word that announces what it reads.
extension ProtoParser {
  mutating func service() throws(ProtobufSchemaError) -> ProtoService {
    var service = ProtoService(name: try word())
    try expect("{")
    while try !skip("}") {
      if try skip(";") { continue }
      switch try word("a method") {
      case "option": service.options.append(try optionStatement())
      case "rpc": service.methods.append(try method())
      case let other: throw error("\"\(other)\" begins no method")
      }
    }
    return service
  }

  private mutating func method() throws(ProtobufSchemaError) -> ProtoService.Method {
    let name = try word()
    let (request, streamsRequests) = try methodType()
    guard try skip(word: "returns") else { throw error("expected \"returns\"") }
    let (response, streamsResponses) = try methodType()
    var method = ProtoService.Method(
      name: name, request: request, response: response, streamsRequests: streamsRequests,
      streamsResponses: streamsResponses)
    guard try skip("{") else {
      try expect(";")
      return method
    }
    while try !skip("}") {
      if try skip(";") { continue }
      guard try skip(word: "option") else { throw error("expected an option") }
      method.options.append(try optionStatement())
    }
    return method
  }

  private mutating func methodType() throws(ProtobufSchemaError) -> (type: String, streams: Bool) {
    try expect("(")
    // A message may be called `stream`.
    var streams = try skip(word: "stream")
    var type = "stream"
    if streams, token == .symbol(UInt8(ascii: ")")) {
      streams = false
    } else {
      type = try path()
    }
    try expect(")")
    return (type, streams)
  }
}
