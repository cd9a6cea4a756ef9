import ArgumentParser
import Foundation
import JSON
import Logging

/// How log lines look.
enum LogFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// Text on a terminal, JSON otherwise.
  case auto
  case text
  case json
}

struct LogOptions: ParsableArguments {
  @Option(help: "Log lines as text or as JSON; auto means text on a terminal.")
  var logFormat = LogFormat.auto

  @Option(
    help: "Least severe level to log: trace, debug, info, notice, warning, error or critical.",
    transform: { text in
      guard let level = Logger.Level(rawValue: text) else { throw ValidationError("\(text) is no log level") }
      return level
    })
  var logLevel: Logger.Level?

  /// On a terminal the progress line tells what matters, so only trouble is logged there by default.
  func makeLogger() -> Logger {
    let isText = logFormat == .text || (logFormat == .auto && Console.error.isTerminal)
    var logger = Logger(label: "reseal") { _ in ConsoleLogHandler(isText: isText) }
    logger.logLevel = logLevel ?? (isText ? .warning : .info)
    return logger
  }
}

/// Log lines on standard error: one JSON object each (`time`, `level`, `message`, then the metadata), or text.
private struct ConsoleLogHandler: LogHandler {
  let isText: Bool
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(isText: Bool) { self.isText = isText }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let details = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
    if isText {
      let style: Console.Style = event.level >= .error ? .red : event.level >= .warning ? .yellow : .dim
      let line = ["\(event.message)"] + details.map { "\($0.key)=\($0.value)" }
      // The return and erasure make room where a progress line stands.
      let erase = Console.error.isTerminal ? "\r\u{1B}[K" : ""
      Console.error.line(
        erase + Console.error.styled(event.level.rawValue, style) + " " + line.joined(separator: " "))
    } else {
      var object: JSONObject = [
        "time": .string(Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
        "level": .string(event.level.rawValue), "message": .string(event.message.description),
      ]
      for (key, value) in details { object[key] = .string("\(value)") }
      Console.error.line(JSONValue.object(object).serialized())
    }
  }
}
