import Foundation
import Fuzzing
import TestSupport
import Testing

/// Inputs that once made a parser trap, hang or grow, found by `make fuzz`: `Tests/Fixtures/crashers/TARGET/*`.
/// A few ordinary inputs stand beside them, so that every target runs at least once.
struct CrasherTests {
  @Test(arguments: FuzzTarget.allCases)
  func nothingCrashesAgain(_ target: FuzzTarget) throws {
    let folder = Fixtures.directory.appending(path: "crashers/\(target.rawValue)")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { try Data(contentsOf: file).withUnsafeBytes { target.run($0) } }
  }
}
