import ArgumentParser
import Foundation
import JSON
import KeyManagement
import SchemaRegistry
import Threads

struct RewrapKeys: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrap",
    abstract: "Wrap every DEK of a KEK anew. Only says what it would do, unless --execute.",
    discussion: """
      The DEKs themselves stay as they are, and so does everything sealed under them: no data is touched.

      Without a target, DEKs are wrapped under the newest version of the KEK's own key, so that its old versions can \
      be retired. For a shared KEK the registry does it.

      Service and key of a KEK cannot be changed in the DEK Registry. There are two ways to another key:
        --kms-key-id ID   Another key of the same service, which must be one of the KEK's alternates \
      (encrypt.alternate.kms.key.ids); `reseal keys add-alternate` makes it one. Readers try the KEK's own key first \
      and then the alternates, so all of them keep working, also after the old key is disabled. New DEKs are wrapped \
      by the KEK's own key for as long as it works.
        --to-kek NAME     Another KEK, of any service: it gets the same DEKs under the same subjects and versions. \
      Rules that name it then read what was sealed before. The old KEK keeps its DEKs.

      May be interrupted and run again: what is done is skipped. Where nothing tells which version of a key wrapped \
      a DEK (AWS, Google, Azure without saved versions, and shared KEKs), every run visits every DEK, unless \
      --before gives it the time that the interrupted run printed: DEKs changed since then, by the registry's clock, \
      count as done. Undeleting a DEK changes it too: after that, run it without --before. A new wrapping counts as \
      a change of the DEK: rotation by encrypt.dek.expiry.days begins anew.

      Soft-deleted DEKs are left alone. Undelete them first if the old key is to go for good.
      """)

  @Argument(help: "Name of the KEK.")
  var kek: String

  @Option(help: ArgumentHelp("Another key of the same service.", valueName: "id"))
  var kmsKeyId: String?

  @Option(help: ArgumentHelp("Another KEK.", valueName: "name"))
  var toKek: String?

  @Option(
    help: ArgumentHelp(
      "Take DEKs changed since then for done, as an interrupted run says.", valueName: "time"),
    transform: { text in
      do {
        return Int64(clamping: Int(try Date(text, strategy: .iso8601).timeIntervalSince1970) * 1_000)
      } catch {
        throw ValidationError("\(text) is no time such as 2026-11-25T15:00:00Z")
      }
    })
  var before: Int64?

  @Option(help: "DEKs to work on at once.")
  var parallel = 16

  @Flag(help: "Do it.")
  var execute = false

  @OptionGroup var options: KeyOptions

  func validate() throws {
    guard kmsKeyId == nil || toKek == nil else {
      throw ValidationError("--kms-key-id and --to-kek are two different ways")
    }
    guard (1...256).contains(parallel) else { throw ValidationError("--parallel must be from 1 to 256") }
  }

  func run() async throws {
    let access = try options.access(parallelism: parallel)
    try await options.reporting {
      let rewrap = try await Rewrap(kek, to: target, before: before, in: access.store)
      let course = Course(resumption: rewrap.isToldByTime ? before : nil, isToldByTime: rewrap.isToldByTime)
      let summary = try await rewrap.run(execute: execute) { _, outcome in course.note(outcome) }
      course.end()
      report(summary, course.resumption)
      if !summary.failures.isEmpty { throw ExitCode.failure }
    }
  }

  private var target: Rewrap.Target {
    kmsKeyId.map { .key($0) } ?? toKek.map { .kek($0) } ?? .newVersion
  }

  private func report(_ summary: Rewrap.Summary, _ resumption: Int64?) {
    let value: JSONValue = [
      "kek": .string(kek), "executed": .bool(execute),
      "before": resumption.map { .string($0.dateText) } ?? .null,
      "rewrapped": JSONValue(summary.rewrapped), "current": JSONValue(summary.current),
      "deleted": JSONValue(summary.deleted),
      "failed": .array(
        summary.failures.map { ["dek": .string($0.key), "error": .string($0.detail)] }),
    ]
    options.print(value) {
      let out = Console.output
      out.line("\(execute ? "rewrapped" : "to be rewrapped:") \(summary.rewrapped.grouped)")
      out.line("skipped, wrapped as wanted already: \(summary.current.grouped)")
      if summary.deleted > 0 { out.line("left alone, soft-deleted: \(summary.deleted.grouped)") }
      if !summary.failures.isEmpty { out.line("failed: \(summary.failures.count.grouped)") }
      if !execute, summary.rewrapped > 0 { out.line("nothing was changed; --execute does it") }
    }
    for failure in summary.failures {
      Console.error.problem("\(failure)")
    }
  }
}

/// Counts on a line of the terminal, and says how an interrupted run is taken up again.
private final class Course: Sendable {
  private struct State {
    var count = 0
    var resumption: Int64?
  }

  private let state: Locked<State>
  private let isToldByTime: Bool

  init(resumption: Int64?, isToldByTime: Bool) {
    state = Locked(State(resumption: resumption))
    self.isToldByTime = isToldByTime
  }

  /// What the next run needs as `--before`: the earliest time the registry gave to a DEK of this one, in whole
  /// seconds; what this one was given if it was given any. `nil` where time tells nothing.
  var resumption: Int64? { state.withLock { $0.resumption } }

  func note(_ outcome: Rewrap.Outcome) {
    let (count, news) = state.withLock { state -> (Int, Int64?) in
      state.count += 1
      guard isToldByTime, case .rewrapped(at: let time?) = outcome else { return (state.count, nil) }
      let start = time / 1_000 * 1_000
      guard start < state.resumption ?? .max else { return (state.count, nil) }
      state.resumption = start
      return (state.count, start)
    }
    if let news {
      erase()
      Console.error.line("should this be interrupted, run it again with --before \(news.dateText)")
    }
    if Console.error.isTerminal, count.isMultiple(of: 10) {
      Console.error.write("\r\(count.grouped) DEKs\u{1B}[K")
    }
  }

  func end() { erase() }

  private func erase() { if Console.error.isTerminal { Console.error.write("\r\u{1B}[K") } }
}
