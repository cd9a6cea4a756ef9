internal import JSON

extension SampleType {
  var avroSchema: String { avroSchema(variant: 0) }

  /// Another schema for each number, which means the same; of a record type.
  func avroSchema(variant: Int) -> String {
    guard variant > 0, case .object(var members) = avroType else { return avroType.serialized() }
    members["doc"] = .string("variant \(variant)")
    return JSONValue.object(members).serialized()
  }

  private var avroType: JSONValue {
    switch self {
    case .text: "string"
    case .number: "long"
    case .real: "double"
    case .flag: "boolean"
    case .list(_, let element): ["type": "array", "items": element.avroType]
    case .record(let name, let fields):
      [
        "type": "record", "name": .string(name), "namespace": "bench",
        "fields": .array(
          fields.map { field in
            var members: JSONObject = ["name": .string(field.name), "type": field.type.avroType]
            if case .text(_, isTagged: true) = field.type {
              members["confluent:tags"] = [.string(Self.tag)]
            }
            return .object(members)
          }),
      ]
    }
  }

  /// One record in Avro binary.
  func avroBody(_ values: inout SampleValues) -> [UInt8] { avroBody(&values, sealing: { $0 }) }

  /// The same with something else in place of each tagged text.
  func avroBody(
    _ values: inout SampleValues, sealing seal: (String) throws -> String
  ) rethrows -> [UInt8] {
    switch self {
    case .text(let count, let isTagged):
      let text = values.text(count)
      let written = isTagged ? try seal(text) : text
      return Self.zigzag(Int64(written.utf8.count)) + written.utf8
    case .number: return Self.zigzag(values.number())
    case .real: return withUnsafeBytes(of: values.real().bitPattern.littleEndian) { Array($0) }
    case .flag: return [values.flag() ? 1 : 0]
    case .record(_, let fields):
      var body: [UInt8] = []
      for field in fields { body += try field.type.avroBody(&values, sealing: seal) }
      return body
    case .list(let count, let element):
      var body = Self.zigzag(Int64(count))
      for _ in 0..<count { body += try element.avroBody(&values, sealing: seal) }
      return body + [0]
    }
  }

  private static func zigzag(_ value: Int64) -> [UInt8] {
    varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  /// Seven bits a byte, least significant first.
  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
