internal import CCurl
internal import Glibc

/// libcurl's memory: bodies, header lines and passwords are copied into it, so every block is overwritten before
/// it is given back.
///
/// OpenSSL's buffers are its own; it is told to wipe what it decrypts (see `EasyHandle.cleanseTLS`).
enum WipingAllocator {
  typealias Release = (UnsafeMutableRawPointer) -> Void

  /// `release` gets the block already wiped; tests look at it there.
  static func free(_ block: UnsafeMutableRawPointer?, release: Release = { Glibc.free($0) }) {
    guard let block else { return }
    explicit_bzero(block, malloc_usable_size(block))
    release(block)
  }

  /// As `realloc`, which could move a block and leave its old content behind.
  static func reallocate(
    _ block: UnsafeMutableRawPointer?, _ size: Int, release: Release = { Glibc.free($0) }
  ) -> UnsafeMutableRawPointer? {
    guard let moved = malloc(size) else { return nil }
    guard let block else { return moved }
    memcpy(moved, block, min(size, malloc_usable_size(block)))
    free(block, release: release)
    return moved
  }
}
