package import Foundation
internal import Glibc

extension FileHandle {
  /// What has come, at least a byte; empty at the end. A signal may interrupt it, which traps in `availableData`.
  package func nextPart() -> Data {
    var buffer = Data(count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(fileDescriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      return buffer.prefix(max(count, 0))
    }
  }

  /// All that comes until the end.
  package func allParts() -> Data {
    var all = Data()
    while case let part = nextPart(), !part.isEmpty { all += part }
    return all
  }
}
