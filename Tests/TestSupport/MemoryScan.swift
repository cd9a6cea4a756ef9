internal import Glibc

/// Bytes to look for, kept in a form in which looking does not find them here.
package struct Needle: Sendable {
  private static let mask: UInt8 = 0xA7

  package let name: String
  private let masked: [UInt8]

  package init(_ name: String, _ bytes: UnsafeRawBufferPointer) {
    self.name = name
    masked = bytes.map { $0 ^ Self.mask }
  }

  var count: Int { masked.count }

  /// A byte of it, which is no secret, and where it is: not zero, of which memory is full.
  var pivot: (index: Int, byte: UInt8)? {
    masked.firstIndex { $0 != Self.mask }.map { ($0, masked[$0] ^ Self.mask) }
  }

  func isAt(_ memory: UnsafePointer<UInt8>) -> Bool {
    for index in masked.indices where memory[index] ^ Self.mask != masked[index] { return false }
    return true
  }
}

/// All readable memory of this process, read through `/proc/self/mem`.
package struct MemoryScan {
  package init() {}

  private static let chunk = 1 << 20

  private struct Failure: Error {
    let what: String
  }

  /// How often each needle is there, by name.
  package func find(_ needles: [Needle]) throws -> [String: Int] {
    let overlap = needles.map(\.count).max() ?? 0
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.chunk, alignment: 16)
    defer {
      explicit_bzero(buffer, Self.chunk)
      buffer.deallocate()
    }
    let descriptor = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(what: "/proc/self/mem: \(errno)") }
    defer { close(descriptor) }
    let own = UInt(bitPattern: buffer)..<UInt(bitPattern: buffer) + UInt(Self.chunk)
    var found: [String: Int] = [:]
    for region in try Self.regions() {
      var start = region.lowerBound
      while start < region.upperBound {
        let count = min(Self.chunk, Int(region.upperBound - start))
        let read = pread(descriptor, buffer, count, off_t(truncatingIfNeeded: start))
        // Some mappings cannot be read, or went meanwhile.
        guard read > 0 else { break }
        for needle in needles {
          for offset in Self.offsets(of: needle, in: UnsafeRawBufferPointer(start: buffer, count: read))
          where !own.contains(start + UInt(offset)) {
            found[needle.name, default: 0] += 1
          }
        }
        // What was read must not be found when the buffer's own place is reached.
        explicit_bzero(buffer, read)
        guard read == count, read > overlap else { break }
        start += UInt(start + UInt(count) < region.upperBound ? count - overlap : count)
      }
    }
    return found
  }

  /// To the end, which Foundation does not reach in a long file that claims to be empty.
  private static func contents(of path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(what: "\(path): \(errno)") }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(descriptor, &piece, piece.count), count > 0 { contents += piece[..<count] }
    return contents
  }

  private static func regions() throws -> [Range<UInt>] {
    let text = String(decoding: try contents(of: "/proc/self/maps"), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count >= 2, fields[1].hasPrefix("r"), !line.hasSuffix("[vvar]"),
        !line.hasSuffix("[vsyscall]")
      else { return nil }
      let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      return ends.count == 2 ? ends[0]..<ends[1] : nil
    }
  }

  /// Looks for one byte of the needle with the C library, and compares the rest there.
  private static func offsets(of needle: Needle, in memory: UnsafeRawBufferPointer) -> [Int] {
    guard let pivot = needle.pivot, let base = memory.bindMemory(to: UInt8.self).baseAddress else {
      return []
    }
    var offsets: [Int] = []
    var position = pivot.index
    while position < memory.count,
      let hit = memchr(base + position, Int32(pivot.byte), memory.count - position)
    {
      position = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(hit))
      let start = position - pivot.index
      if start + needle.count <= memory.count, needle.isAt(base + start) { offsets.append(start) }
      position += 1
    }
    return offsets
  }
}
