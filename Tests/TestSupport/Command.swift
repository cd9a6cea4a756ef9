package import Foundation

/// Programs that tests start, and what they need of their output.
package enum Command {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
  }

  /// Runs a program to its end, on a thread where it may block. `environment` is added to this process's own.
  /// Throws its output when it fails, returns it otherwise.
  @discardableResult
  package static func run(
    _ arguments: [String], in directory: URL, environment: [String: String] = [:]
  ) async throws -> String {
    let process = process(arguments)
    process.currentDirectoryURL = directory
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let messages = Pipe()
    process.standardError = messages
    process.standardOutput = messages
    let output = try await onOwnThread {
      try process.run()
      let output = messages.fileHandleForReading.allParts()
      process.waitUntilExit()
      return String(decoding: output, as: UTF8.self)
    }
    guard process.terminationStatus == 0 else { throw Failure(description: "\(arguments): \(output)") }
    return output
  }

  package static func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    return process
  }

  package static func onOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }
}
