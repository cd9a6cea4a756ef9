internal import CBaselines
internal import Threads

/// What a job is measured against: a C loop that copies the same records through librdkafka.
package struct CopyLoop: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// librdkafka properties by name.
  private let consumer: [String: String]
  private let producer: [String: String]

  package init(consumer: [String: String], producer: [String: String]) {
    self.consumer = consumer
    self.producer = producer
  }

  /// Copies the first `count` records of all partitions and returns the seconds from the first fetch to the last
  /// acknowledgement. Throws ``Failure`` when that many are not there, or not taken.
  package func run(
    from source: String, to sink: String, partitions: Int, count: Int
  ) async throws(Failure) -> Double {
    let outcome = await BlockingQueue("reseal.bench.copy").run { [self] in
      Self.withCStrings(consumer) { consumer in
        Self.withCStrings(producer) { producer -> Result<Double, Failure> in
          var explanation = [CChar](repeating: 0, count: 512)
          let seconds = copy_topic(
            consumer, producer, source, sink, Int32(partitions), count, &explanation, explanation.count)
          if seconds >= 0 { return .success(seconds) }
          let text = explanation.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
          return .failure(Failure(description: String(decoding: text, as: UTF8.self)))
        }
      }
    }
    return try outcome.get()
  }

  /// Lends names and values by turns as C strings, with a null pointer behind the last.
  private static func withCStrings<Result>(
    _ settings: [String: String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    var characters: [CChar] = []
    var starts: [Int] = []
    // In the order in which jobs set them, so that of two names of one property the same one counts.
    for text in settings.sorted(by: { $0.key < $1.key }).flatMap({ [$0.key, $0.value] }) {
      starts.append(characters.count)
      characters += text.utf8CString
    }
    return characters.withUnsafeBufferPointer { characters in
      let pointers = starts.map { characters.baseAddress?.advanced(by: $0) } + [nil]
      return body(pointers)
    }
  }
}
