internal import Codecs

/// A value for each of some schema references, found in a few steps: the references stand side by side and are compared
/// one after the other, from where a multiplication points to.
///
/// They are those that a registry has answered for, and few, so nobody gains by making them collide.
struct ReferenceTable<Value> {
  /// A power of two, at least twice as many as are taken.
  private var places: ContiguousArray<(reference: SchemaReference, value: Value)?>
  private(set) var count = 0

  init() { places = .init(repeating: nil, count: 16) }

  subscript(reference: SchemaReference) -> Value? {
    get { places[place(of: reference)]?.value }
    set {
      guard let newValue else { return }
      if (count + 1) * 2 > places.count { grow() }
      let place = place(of: reference)
      if places[place] == nil { count += 1 }
      places[place] = (reference, newValue)
    }
  }

  mutating func removeAll() { self = ReferenceTable() }

  /// Where the reference is, or would be.
  private func place(of reference: SchemaReference) -> Int {
    var place = Self.hash(reference) & (places.count - 1)
    while let taken = places[place], taken.reference != reference { place = (place + 1) & (places.count - 1) }
    return place
  }

  private mutating func grow() {
    let taken = places
    places = .init(repeating: nil, count: taken.count * 2)
    for entry in taken {
      guard let entry else { continue }
      places[place(of: entry.reference)] = entry
    }
  }

  /// Fibonacci hashing: ids are mostly consecutive, and are spread by it.
  private static func hash(_ reference: SchemaReference) -> Int {
    let bits: UInt64 =
      switch reference {
      case .id(let id): UInt64(UInt32(bitPattern: id))
      case .guid(let guid): guid.bits
      }
    return Int(truncatingIfNeeded: bits &* 0x9E37_79B9_7F4A_7C15 >> 32)
  }
}
