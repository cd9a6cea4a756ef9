package import Kafka

/// What is written on the outside of a dead letter, in its headers: where the record was and what is wrong with it, in
/// words of ours, so that letters can be listed without any key. Nothing here quotes the record.
///
/// Numbers are decimal text.
package struct LetterLabel: Sendable, Hashable {
  private enum Name: String {
    case version = "reseal.letter"
    case job = "reseal.job"
    case topic = "reseal.topic"
    case partition = "reseal.partition"
    case offset = "reseal.offset"
    case timestamp = "reseal.timestamp"
    case error = "reseal.error"
    case field = "reseal.field"
    case kek = "reseal.kek"
  }

  private static let version = "1"

  /// Name of the pipeline that wrote the letter.
  package var job: String
  package var origin: Letter.Origin
  /// As a ``FailureClass`` spells it; perhaps one of a later release.
  package var error: String
  /// Full name, from the schema, of the field that failed; `nil` when it was the record as a whole.
  package var field: String?
  /// Name of the KEK under which the letter is sealed.
  package var kek: String

  package init(job: String, origin: Letter.Origin, error: FailureClass, field: String?, kek: String) {
    self.job = job
    self.origin = origin
    self.error = error.rawValue
    self.field = field
    self.kek = kek
  }

  /// The label on a record; `nil` when it is none of ours.
  package init?(_ headers: [(name: String, value: [UInt8]?)]) {
    func text(_ name: Name) -> String? {
      headers.last { $0.name == name.rawValue }?.value.flatMap { String(validating: $0, as: UTF8.self) }
    }
    // They are shown to people, and anybody may write to the topic.
    func isPrintable(_ text: String?) -> Bool {
      (text ?? "").unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
    guard
      headers.allSatisfy({
        !$0.name.hasPrefix("reseal.") || isPrintable($0.value.map { String(decoding: $0, as: UTF8.self) })
      }),
      text(.version) == Self.version, let job = text(.job), let topic = text(.topic),
      let partition = text(.partition).flatMap({ Int32($0) }),
      let offset = text(.offset).flatMap({ Int64($0) }),
      let timestamp = text(.timestamp).flatMap({ Int64($0) }), let error = text(.error),
      let kek = text(.kek)
    else { return nil }
    self.job = job
    origin = .init(topic: topic, partition: partition, offset: offset, timestamp: timestamp)
    self.error = error
    field = text(.field)
    self.kek = kek
  }

  /// Names and values, in the order they are written.
  package var texts: [(name: String, value: String)] {
    var texts: [(Name, String)] = [
      (.version, Self.version), (.job, job), (.topic, origin.topic), (.partition, "\(origin.partition)"),
      (.offset, "\(origin.offset)"), (.timestamp, "\(origin.timestamp)"), (.error, error),
    ]
    if let field { texts.append((.field, field)) }
    texts.append((.kek, kek))
    return texts.map { ($0.0.rawValue, $0.1) }
  }

  /// Bytes that the headers take in a record, or a few more.
  var size: Int { texts.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 10 } }

  package var headers: RecordHeaders {
    let headers = RecordHeaders()
    for (name, value) in texts { headers.append(name, value) }
    return headers
  }
}
