import Codecs

/// Any `.proto` source; with those that can be read a body of nothing is walked.
func fuzzProtobufSchema(_ input: UnsafeRawBufferPointer) {
  for plan in plans(of: String(decoding: input, as: UTF8.self)) {
    rewrite(UnsafeRawBufferPointer(start: nil, count: 0), plan)
  }
}

/// Any FileDescriptorProto.
func fuzzProtobufDescriptor(_ input: UnsafeRawBufferPointer) {
  do {
    _ = try ProtoFile(descriptor: Array(input))
  } catch {
    precondition(!"\(error)".isEmpty)
  }
}

/// Any body under one of a few messages.
func fuzzProtobufBody(_ input: UnsafeRawBufferPointer) { rewrite(input, withOneOf: protobufPlans) }

private let protobufPlans = plans(
  of:
    """
    syntax = "proto3"; import "confluent/meta.proto";
    message Customer {
      int64 id = 1; string ssn = 2 [(confluent.field_meta).tags = "PII"]; bytes photo = 3 [(confluent.field_meta).tags = "PII"];
      optional string nickname = 4 [(confluent.field_meta).tags = "PII"];
      repeated string phones = 5 [(confluent.field_meta).tags = "PII"]; Address home = 6; repeated Address former = 7;
      map<string, Address> places = 8; oneof contact { string email = 9 [(confluent.field_meta).tags = "PII"]; Customer same = 10; }
      repeated sint32 numbers = 11; fixed64 big = 12; float ratio = 13; Kind kind = 300;
    }
    message Address { string street = 1 [(confluent.field_meta).tags = "PII"]; string city = 2; }
    enum Kind { A = 0; B = 1; }
    """)

/// One for each message of the file.
private func plans(of text: String) -> [FieldPlan] {
  do {
    let schema = try ProtobufSchema(parsing: text)
    return try schema.topLevel.map { message in
      let view = ProtobufTagView(schema: schema, message: message, rules: personal)
      return try FieldPlan(protobuf: view, sink: view)
    }
  } catch {
    precondition(!"\(error)".isEmpty)
    return []
  }
}
