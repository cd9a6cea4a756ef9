import JSON

extension PlanReport {
  // MARK: For people

  func print(on console: Console) {
    console.line(
      "\(console.styled(job, .bold)): \(steps.joined(separator: ", then ")), \(source.topic) → \(sink.topic)")
    console.line(
      "  \(Int(source.records).grouped) records in \(source.partitions) partitions, into \(sink.partitions) partitions"
    )
    let letters = deadLetters.map { "; dead letters to \($0.topic), sealed under \($0.key)" } ?? ""
    console.line("  records that cannot be processed: \(onFailure)\(letters)")
    for part in parts { print(part, on: console) }
    console.line()
    if !notices.isEmpty {
      console.line(console.styled("Worth knowing:", .yellow))
      for notice in notices { console.line("  - \(notice)") }
    }
    guard !refusals.isEmpty else {
      return console.line(console.styled("The job may run.", .green))
    }
    console.line(console.styled("The job must not run:", .red))
    for refusal in refusals { console.line("  - \(refusal)") }
  }

  private func print(_ part: Part, on console: Console) {
    if !part.targets.isEmpty {
      var table = Table(
        "sink subject of \(part.name)", "schema", "rule", "key to seal under", "sealed so far",
        widestCell: 120)
      for target in part.targets {
        table.add(
          target.subject, target.schema, target.rule, target.key + (target.isNew ? " (to be made)" : ""),
          target.sealed?.fieldsUnderKey ?? "")
      }
      console.line()
      table.print(on: console)
    }
    guard !part.schemas.isEmpty else {
      // What is refused looks at no record.
      guard refusals.isEmpty else { return }
      return console.line("\n  The schemas of the \(part.name) are found out from the records.")
    }
    var table = Table("schema of \(part.name)", "field", "type", "open under", "seal under", widestCell: 120)
    for schema in part.schemas {
      let name =
        schema.name + (schema.message.map { " message \($0.map(String.init).joined(separator: "."))" } ?? "")
      if schema.refusal != nil { table.add(name, "(refused)") }
      if schema.refusal == nil, schema.fields.isEmpty { table.add(name, "(nothing to do)") }
      for (index, field) in schema.fields.enumerated() {
        table.add(
          index == 0 ? name : "", field.name, field.type, Self.text(field.opens), Self.text(field.seals))
      }
    }
    console.line()
    table.print(on: console)
  }

  private static func text(_ layers: [(rule: String, key: String)]) -> String {
    layers.map { "\($0.rule): \($0.key)" }.joined(separator: ", then ")
  }

  // MARK: For machines

  var json: JSONValue {
    [
      "job": .string(job), "steps": .array(steps.map { .string($0) }), "mayRun": .bool(refusals.isEmpty),
      "source": [
        "topic": .string(source.topic), "partitions": JSONValue(source.partitions),
        "records": JSONValue(Int(source.records)),
      ],
      "sink": ["topic": .string(sink.topic), "partitions": JSONValue(sink.partitions)],
      "onFailure": [
        "action": .string(onFailure),
        "deadLetter": deadLetters.map { ["topic": .string($0.topic), "key": .string($0.key)] } ?? .null,
      ],
      "parts": .array(parts.map(\.json)), "refusals": .array(refusals.map { .string($0) }),
      "notices": .array(notices.map { .string($0) }),
    ]
  }
}

extension PlanReport.Part {
  fileprivate var json: JSONValue {
    [
      "part": .string(name),
      "targets": .array(
        targets.map { target in
          var members: JSONObject = [
            "subject": .string(target.subject), "schema": .string(target.schema),
            "rule": .string(target.rule), "key": .string(target.key), "isNew": .bool(target.isNew),
          ]
          members["sealed"] = target.sealed.map { JSONValue(Int(clamping: $0)) }
          return .object(members)
        }), "schemas": .array(schemas.map(\.json)),
    ]
  }
}

extension PlanReport.Schema {
  fileprivate var json: JSONValue {
    var members: JSONObject = ["schema": .string(name)]
    if let message { members["message"] = .array(message.map { JSONValue(Int($0)) }) }
    members["sourceSubject"] = sourceSubject.map { .string($0) }
    members["sinkSubject"] = sinkSubject.map { .string($0) }
    members["fields"] = .array(fields.map(\.json))
    members["refusal"] = refusal.map { .string($0) }
    return .object(members)
  }
}

extension PlanReport.Field {
  fileprivate var json: JSONValue {
    func layers(_ layers: [(rule: String, key: String)]) -> JSONValue {
      .array(layers.map { ["rule": .string($0.rule), "key": .string($0.key)] })
    }
    return [
      "field": .string(name), "type": .string(type), "open": layers(opens), "seal": layers(seals),
    ]
  }
}
