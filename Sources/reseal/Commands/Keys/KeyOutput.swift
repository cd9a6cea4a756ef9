import ArgumentParser
import FieldCrypto
import Foundation
import JSON
import KeyManagement
import SchemaRegistry

/// How `keys` commands say what happened.
extension KeyOptions {
  /// Runs a command's work and turns its failures into a sentence and an exit code: 78 for what has to be
  /// changed first, 1 for the rest.
  func reporting(_ work: () async throws -> Void) async throws {
    do {
      try await work()
    } catch let error as KeyError {
      throw (error.reason == .misconfigured ? ExitCode.refused : .failure).because(["\(error)"])
    } catch let error as RegistryError {
      throw ExitCode.failure.because(["\(error)"])
    } catch let error as KMSError {
      throw (error.reason == .configuration ? ExitCode.refused : .failure).because(["\(error)"])
    } catch let error as UnknownPolicy {
      throw ExitCode.refused.because(["\(error)"])
    }
  }

  /// One line of JSON for machines, or `text` for people.
  func print(_ value: JSONValue, text: () -> Void) {
    if json { Console.output.line(value.serialized()) } else { text() }
  }

  /// Asks on the terminal unless the answer was given with `--yes`. Throws ``ValidationError`` where nobody can be
  /// asked, and ``ExitCode/failure`` when the answer is no.
  func confirm(_ what: String, isGiven: Bool) throws {
    guard !isGiven else { return }
    guard isatty(STDIN_FILENO) == 1, Console.error.isTerminal else {
      throw ValidationError("\(what): say --yes")
    }
    Console.error.write("\(what)? [y/N] ")
    guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else {
      Console.error.line("nothing was done")
      throw ExitCode.failure
    }
  }
}

extension Int64 {
  /// Milliseconds since 1970 as people and other programs read them, in UTC.
  var dateText: String {
    Date(timeIntervalSince1970: Double(self) / 1_000)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: false))
  }
}

extension KEK {
  /// What a KEK is; of its properties only the names, because values may be credentials.
  var json: JSONValue {
    var members: JSONObject = [
      "name": .string(name), "kmsType": .string(kmsType), "kmsKeyId": .string(kmsKeyID),
      "alternateKmsKeyIds": .array(alternateKeyIDs.map(JSONValue.string)),
      "kmsProps": .array(kmsProperties.keys.sorted().map(JSONValue.string)), "shared": .bool(isShared),
      "ts": JSONValue(Int(timestamp)),
    ]
    members["doc"] = documentation.map(JSONValue.string)
    if isDeleted { members["deleted"] = true }
    return .object(members)
  }
}

extension DEKIdentity {
  var json: JSONValue {
    [
      "kek": .string(kek), "subject": .string(subject.name), "algorithm": .string(algorithm.rawValue),
      "version": JSONValue(Int(version)),
    ]
  }
}
