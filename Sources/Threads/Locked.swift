internal import Glibc

/// A value behind a POSIX mutex.
///
/// `Synchronization.Mutex` would do the same, but ThreadSanitizer cannot see into it and reports races on
/// whatever it guards; with this one a clean run means something.
///
/// `Sendable`: the value is reached only inside ``withLock(_:)``.
package final class Locked<Value: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var value: Value

  package init(_ value: Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Not to be nested on one thread.
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value)
  }
}
