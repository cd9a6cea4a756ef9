import Pipelines
import Testing

struct FieldCountsTests {
  /// Whoever adds a count shows it, too.
  @Test func everyCountHasAName() {
    #expect(
      FieldCounts().named.map(\.0).sorted()
        == Mirror(reflecting: FieldCounts()).children.compactMap(\.label).sorted())
  }
}
