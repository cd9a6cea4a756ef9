internal import Configuration
internal import Glibc
internal import JSON

extension PipelineDefinition.Start {
  /// Reads what the shape has let through.
  init(_ value: JSONValue, _ problems: inout [Problem]) {
    if value.string == "latest" {
      self = .latest
    } else if let timestamp = value["timestamp"] {
      self = .timestamp(
        timestamp.lenientInteger.map(Int64.init) ?? timestamp.string.flatMap(Self.milliseconds) ?? 0)
    } else if let members = value["offsets"]?.object {
      var offsets: [Int32: Int64] = [:]
      for (name, value) in members {
        if let partition = Int32(name), partition >= 0, let offset = value.lenientInteger, offset >= 0 {
          offsets[partition] = Int64(offset)
        } else {
          problems.append(
            Problem(JSONPath.child(name, of: "$.source.from.offsets"), "must be a partition with an offset"))
        }
      }
      self = .offsets(offsets)
    } else {
      self = .earliest
    }
  }

  /// Milliseconds since 1970 of a time such as `2025-01-31T00:00:00Z`; `nil` when it is none.
  static func milliseconds(_ text: String) -> Int64? {
    let parts = text.split { "-T:Z".contains($0) }.compactMap { Int32($0) }
    guard parts.count == 6 else { return nil }
    var time = tm()
    time.tm_year = parts[0] - 1_900
    time.tm_mon = parts[1] - 1
    (time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec) = (parts[2], parts[3], parts[4], parts[5])
    let seconds = timegm(&time)
    // The call carries over what is out of range; printed again it must be what was written.
    var written = [CChar](repeating: 0, count: 32)
    strftime(&written, written.count, "%Y-%m-%dT%H:%M:%SZ", &time)
    return String(decoding: written.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self) == text
      ? Int64(seconds) * 1_000 : nil
  }
}
