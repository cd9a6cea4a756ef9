internal import Glibc

/// Memory that the system may move to a disk: a temporary file, mapped. The file has no name any more when this is
/// made, so it goes with the process whatever becomes of that.
package struct MappedFile: ~Copyable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    fileprivate init(_ what: String, _ number: Int32) {
      description = "\(what): \(String(cString: strerror(number)))"
    }
  }

  /// Zero at first.
  package let bytes: UnsafeMutableRawBufferPointer

  /// In the folder that `TMPDIR` names, or else in `/tmp`. The room is taken at once: a disk that is full is an error
  /// here, and not a signal later.
  package init(byteCount: Int) throws(Failure) {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/reseal-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { throw Failure("a temporary file in \(folder)", errno) }
    defer { close(file) }
    unlink(template)
    let refusal = posix_fallocate(file, 0, byteCount)
    guard refusal == 0 else { throw Failure("\(byteCount) bytes of temporary space in \(folder)", refusal) }
    guard let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), start != MAP_FAILED
    else { throw Failure("a map of \(byteCount) bytes", errno) }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  deinit { munmap(bytes.baseAddress, bytes.count) }
}
