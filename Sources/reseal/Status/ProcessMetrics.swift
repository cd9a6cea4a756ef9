import Foundation
import Glibc
import Metrics

/// What Prometheus's own client libraries tell of a process, by the names they use.
enum ProcessMetrics {
  private static let startedAt = Date()

  /// Notes when the process started; to be called as it does.
  static func begin() { _ = startedAt }

  static var families: [MetricFamily] {
    var start = MetricFamily(
      "process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds.")
    start.add(startedAt.timeIntervalSince1970)
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    var processor = MetricFamily(
      "process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.")
    processor.add(Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    var memory = MetricFamily("process_resident_memory_bytes", .gauge, "Resident memory size in bytes.")
    if let bytes = residentBytes { memory.add(bytes) }
    return [start, processor, memory]
  }

  /// The second number of `/proc/self/statm` counts pages (proc(5)).
  private static var residentBytes: Int? {
    let text: String
    do { text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8) } catch { return nil }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
  }
}
