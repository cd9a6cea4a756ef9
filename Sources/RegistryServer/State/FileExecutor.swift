internal import Dispatch

/// A thread of its own for an actor that waits for the disk, which would otherwise hold up a thread that
/// every task of the process shares.
final class FileExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "registry.state")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
