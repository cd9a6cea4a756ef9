internal import CAllocator
internal import Foundation

/// The memory of this process in bytes, as Linux counts it; 0 where the kernel does not say.
package enum ProcessMemory {
  package static var now: Int { read("VmRSS:") }

  /// The most since ``resetPeak()``.
  package static var peak: Int { read("VmHWM:") }

  /// Begins the peak anew at what the process has now. What the allocator kept of earlier work is given back first;
  /// otherwise it would count for whatever comes next.
  package static func resetPeak() throws {
    release_free_memory()
    // "5" stands for the peak alone (man proc_pid_clear_refs).
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
  }

  private static func read(_ name: String) -> Int {
    let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
    let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name) }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (kilobytes ?? 0) * 1_024
  }
}
