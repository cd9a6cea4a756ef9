/// Each takes bytes from anywhere and must not trap, hang or use unbounded memory, whatever they are.
///
/// A law that does not hold traps as well, so that the fuzzer finds it.
package enum FuzzTarget: String, CaseIterable, Sendable {
  case frame
  case json
  case registry
  case avroSchema = "avro-schema"
  case avroBody = "avro-body"
  case jsonSchema = "json-schema"
  case jsonBody = "json-body"
  case protobufSchema = "protobuf-schema"
  case protobufDescriptor = "protobuf-descriptor"
  case protobufBody = "protobuf-body"

  package func run(_ input: UnsafeRawBufferPointer) {
    switch self {
    case .frame: fuzzFrame(input)
    case .json: fuzzJSON(input)
    case .registry: fuzzRegistry(input)
    case .avroSchema: fuzzAvroSchema(input)
    case .avroBody: fuzzAvroBody(input)
    case .jsonSchema: fuzzJSONSchema(input)
    case .jsonBody: fuzzJSONBody(input)
    case .protobufSchema: fuzzProtobufSchema(input)
    case .protobufDescriptor: fuzzProtobufDescriptor(input)
    case .protobufBody: fuzzProtobufBody(input)
    }
  }
}

/// Two parts of the input, the first as long as its first byte says.
func split(
  _ input: UnsafeRawBufferPointer
) -> (first: UnsafeRawBufferPointer, rest: UnsafeRawBufferPointer) {
  guard let count = input.first else { return (input, input) }
  let end = min(1 + Int(count), input.count)
  return (
    UnsafeRawBufferPointer(rebasing: input[1..<end]), UnsafeRawBufferPointer(rebasing: input[end...])
  )
}
