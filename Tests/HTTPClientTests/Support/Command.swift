import Foundation

/// Programs that tests start, and what they need of their output.
enum Command {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a program to its end, on a thread where it may block.
  static func run(_ arguments: [String], in directory: URL) async throws {
    let process = process(arguments)
    process.currentDirectoryURL = directory
    let messages = Pipe()
    process.standardError = messages
    process.standardOutput = messages
    let output = try await onOwnThread {
      try process.run()
      let output = messages.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return output
    }
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(arguments): \(String(decoding: output, as: UTF8.self))")
    }
  }

  static func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    return process
  }

  static func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
    -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }
}
