import Codecs
import Testing

@testable import Pipelines

struct ReferenceTableTests {
  private func guid(_ number: Int) throws -> SchemaReference {
    let digits = String(number, radix: 16)
    let padded = String(repeating: "0", count: 12 - digits.count) + digits
    return .guid(try #require(GUID("00000000-0000-0000-0000-\(padded)")))
  }

  @Test func findsWhatWasPutInAndNothingElse() throws {
    var table = ReferenceTable<Int>()
    for number in 0..<3_000 {
      table[.id(Int32(number - 1_500))] = number
      table[try guid(number)] = -number
    }
    #expect(table.count == 6_000)
    for number in 0..<3_000 {
      #expect(table[.id(Int32(number - 1_500))] == number)
      #expect(try table[guid(number)] == -number)
    }
    #expect(table[.id(1_500)] == nil && table[.id(.min)] == nil)
    #expect(try table[guid(3_000)] == nil)
  }

  @Test func theLastValueCounts() {
    var table = ReferenceTable<String>()
    table[.id(7)] = "old"
    table[.id(7)] = "new"
    #expect(table[.id(7)] == "new" && table.count == 1)
    table.removeAll()
    #expect(table[.id(7)] == nil && table.count == 0)
  }

  /// References that all point to the same place are told apart.
  @Test func collisionsAreToldApart() {
    var table = ReferenceTable<Int32>()
    let ids = (0..<64).map { Int32(bitPattern: UInt32(truncatingIfNeeded: $0 << 26)) }
    for id in ids { table[.id(id)] = id }
    for id in ids { #expect(table[.id(id)] == id) }
  }
}
