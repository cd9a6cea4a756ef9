extension SampleType {
  /// A proto3 file whose first message is the record.
  var protobufSchema: String {
    """
    syntax = "proto3";
    package bench;
    import "confluent/meta.proto";

    \(protobufMessages.joined(separator: "\n"))
    """
  }

  /// This message and those inside of it, outermost first.
  private var protobufMessages: [String] {
    switch self {
    case .text, .number, .real, .flag: return []
    case .list(_, let element): return element.protobufMessages
    case .record(let name, let fields):
      let lines = fields.enumerated().map { index, field in
        "  \(field.type.protobufType) \(field.name) = \(index + 1)\(field.type.protobufOptions);"
      }
      return ["message \(name) {\n\(lines.joined(separator: "\n"))\n}"]
        + fields.flatMap(\.type.protobufMessages)
    }
  }

  private var protobufType: String {
    switch self {
    case .text: "string"
    case .number: "int64"
    case .real: "double"
    case .flag: "bool"
    case .record(let name, _): name
    case .list(_, let element): "repeated \(element.protobufType)"
    }
  }

  private var protobufOptions: String {
    guard case .text(_, isTagged: true) = self else { return "" }
    return " [(confluent.field_meta).tags = \"\(Self.tag)\"]"
  }

  /// One record in Protobuf binary.
  func protobufBody(_ values: inout SampleValues) -> [UInt8] {
    guard case .record(_, let fields) = self else { return [] }
    var body: [UInt8] = []
    for (index, field) in fields.enumerated() { body += field.type.protobufField(UInt64(index + 1), &values) }
    return body
  }

  private func protobufField(_ number: UInt64, _ values: inout SampleValues) -> [UInt8] {
    switch self {
    case .number: return Self.varint(number << 3) + Self.varint(UInt64(bitPattern: values.number()))
    case .flag: return Self.varint(number << 3) + [values.flag() ? 1 : 0]
    case .real:
      let bits = values.real().bitPattern.littleEndian
      return Self.varint(number << 3 | 1) + withUnsafeBytes(of: bits) { Array($0) }
    case .text(let count, _): return Self.delimited(number, Array(values.text(count).utf8))
    case .record: return Self.delimited(number, protobufBody(&values))
    case .list(let count, let element):
      var body: [UInt8] = []
      for _ in 0..<count { body += element.protobufField(number, &values) }
      return body
    }
  }

  private static func delimited(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
  }
}
