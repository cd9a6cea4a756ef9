import Dispatch

/// A thread's worth of work outside the cooperative pool: where calls that block belong.
///
/// As an actor's executor it runs the actor's jobs one after the other; ``run(_:)`` and ``start(_:)`` run single calls.
package final class BlockingQueue: SerialExecutor {
  private let queue: DispatchQueue

  /// `label` names the thread while it works.
  package init(_ label: String) { queue = DispatchQueue(label: label, qos: .userInitiated) }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Has `body` run on the queue, and waits for nothing.
  package func start(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

  /// Returns when what was started has ended. Blocks its caller, which must not be on this queue.
  package func finish() { queue.sync {} }

  /// Runs `body` on the queue and waits for it without holding a thread of the cooperative pool.
  package func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body()) }
    }
  }
}
