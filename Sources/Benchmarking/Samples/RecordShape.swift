internal import FieldCrypto
package import JSON
package import SchemaRegistry

/// Records of one size and structure that the engine is measured with.
package struct RecordShape: Sendable {
  /// As it is called on the command line and in results.
  package let name: String
  /// What people are told about it.
  package let description: String
  let type: SampleType

  package static let all = [small, customer, order, document]
  /// What is measured when time is short, and what the targets are about.
  package static let customer = RecordShape(
    name: "500B", description: "500 bytes, 2 of 12 fields tagged",
    type: .record(
      "Customer",
      [
        .init("id", .number), .init("name", .text(32, isTagged: true)),
        .init("ssn", .text(32, isTagged: true)),
        .init("street", .text(40)), .init("city", .text(24)), .init("country", .text(16)),
        .init("balance", .real), .init("isActive", .flag), .init("visits", .number),
        .init("segment", .text(24)),
        .init("remark", .text(200)), .init("agreement", .text(100)),
      ]))

  static let small = RecordShape(
    name: "100B", description: "100 bytes, 1 tagged field",
    type: .record(
      "Reading",
      [
        .init("id", .number), .init("owner", .text(20, isTagged: true)), .init("value", .real),
        .init("place", .text(60)),
      ]))

  static let order = RecordShape(
    name: "2KB", description: "2 KB, records in arrays, 10 tagged fields",
    type: .record(
      "Order",
      [
        .init("id", .number), .init("note", .text(200)),
        .init(
          "buyer",
          .record(
            "Person",
            [
              .init("name", .text(24, isTagged: true)), .init("email", .text(32, isTagged: true)),
              .init("note", .text(80)),
            ])
        ),
        .init(
          "lines",
          .list(
            8,
            .record(
              "Line",
              [
                .init("sku", .text(16)), .init("price", .real), .init("gift", .flag),
                .init("recipient", .text(28, isTagged: true)), .init("text", .text(140)),
              ]))),
      ]))

  static let document = RecordShape(
    name: "20KB", description: "20 KB, 1 tagged field eight records deep",
    type: .record(
      "Document", [.init("head", .text(10_000)), .init("inside", nested(7)), .init("foot", .text(8_000))]))

  private static func nested(_ depth: Int) -> SampleType {
    guard depth > 0 else {
      return .record("Innermost", [.init("secret", .text(32, isTagged: true)), .init("text", .text(200))])
    }
    return .record(
      "Level\(depth)",
      [.init("before", .text(120)), .init("inside", nested(depth - 1)), .init("after", .text(120))])
  }
}

extension RecordShape {
  /// The first `count` records in Avro, without their frames.
  package func avroBodies(count: Int) -> [[UInt8]] { avroBodies(count: count) { _, text in text } }

  /// The schema and some records in Avro, for other programs: `{"schema": text, "records": [base64]}`.
  package func avroSamples(count: Int) -> JSONValue {
    [
      "schema": .string(type.avroSchema),
      "records": .array(avroBodies(count: count).map { .string(Base64.encode($0)) }),
    ]
  }

  /// The first `count` records in Avro, without their frames, with another text in place of each tagged one.
  ///
  /// - Parameter seal: told the record's number, from 0 on, and the text.
  package func avroBodies(
    count: Int, sealing seal: (_ record: Int, _ text: String) throws -> String
  ) rethrows -> [[UInt8]] {
    try (0..<count).map { index in
      var values = SampleValues(seed: index + 1)
      return try type.avroBody(&values) { try seal(index, $0) }
    }
  }

  /// The schema, with a rule where the tagged fields are to be sealed.
  ///
  /// - Parameters:
  ///   - rotates: whether the rule has versions of the DEK.
  ///   - variant: each gives another schema that means the same.
  package func avroSchema(
    sealedUnder kek: String? = nil, kms: String = "", rotates: Bool = false, variant: Int = 0
  ) -> RegisteredSchema {
    RegisteredSchema(
      text: type.avroSchema(variant: variant),
      ruleSet: kek.map { kek in
        var parameters = ["encrypt.kek.name": kek, "encrypt.kms.type": kms, "encrypt.kms.key.id": kek]
        if rotates { parameters["encrypt.dek.expiry.days"] = "30" }
        return RuleSet(domainRules: [
          Rule(name: "seal", type: "ENCRYPT", tags: [SampleType.tag], parameters: parameters)
        ])
      })
  }
}
