internal import Glibc

/// Calls of the allocator by the current thread, counted by a library that is preloaded for that purpose; without
/// it there is nothing that counts.
enum AllocationCounter {
  private typealias Call = @convention(c) () -> UInt64

  private static let call: Call? = dlsym(nil, "allocation_counter_calls").map {
    // The preloaded library exports exactly one function of this name, with this signature.
    unsafeBitCast($0, to: Call.self)
  }

  /// `nil` when nothing counts.
  static var count: UInt64? { call?() }
}
