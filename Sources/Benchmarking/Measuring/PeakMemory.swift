internal import CBaselines
internal import Foundation

/// The most memory this process has had since the count was last begun anew, as Linux keeps it.
package enum PeakMemory {
  /// Begins anew at what the process has now. What the allocator kept of earlier work is given back first; otherwise it
  /// would count for whatever comes next.
  package static func reset() throws {
    release_free_memory()
    // "5" stands for the peak alone (man proc_pid_clear_refs).
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
  }

  /// In bytes; 0 where the kernel does not say.
  package static func bytes() throws -> Int {
    let status = try String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (kilobytes ?? 0) * 1_024
  }
}
