// Strings and numbers against `enum`, `const` and the bounds.
extension JSONValidator {
  /// Valid when there is no `enum` or `const`, or when one of its values is `matching`.
  func checkValues(_ matching: (JSONScalar) -> JSONValidity) -> JSONValidity {
    guard let values else { return .valid }
    var best = JSONValidity.invalid
    for value in values { best = max(best, matching(value)) }
    return best
  }

  /// Whether an `enum` or `const` has arrays or objects, which are not compared.
  func expects(_ container: JSONKind) -> JSONValidity {
    checkValues { if case .container(container) = $0 { .unsure } else { .invalid } }
  }

  func check(_ text: JSONReader.Text, in reader: JSONReader) -> JSONValidity {
    guard values != nil || facts.lengths != 0...Int.max else { return .valid }
    return reader.withText(text) { bytes -> JSONValidity in
      guard let bytes else { return .unsure }
      let matching = checkValues { value in
        if case .string(let expected) = value, expected.elementsEqual(bytes) { .valid } else { .invalid }
      }
      guard matching != .invalid, facts.lengths != 0...Int.max else { return matching }
      // Lengths count characters, so bytes that continue one do not.
      let length = bytes.reduce(into: 0) { if $1 & 0xC0 != 0x80 { $0 += 1 } }
      return facts.lengths.contains(length) ? matching : .invalid
    }
  }

  func check(_ number: UnsafeRawBufferPointer) -> JSONValidity {
    var validity = JSONValidity.valid
    let value = JSONNumber.value(of: number)
    // Whether 1.0 is an integer depends on the draft and on the client.
    if let types, !types.contains(.number), !JSONNumber.isWhole(number) {
      if let value, value.rounded() != value { return .invalid }
      validity = .unsure
    }
    guard values != nil || facts.minimum != nil || facts.maximum != nil else { return validity }
    guard let value else { return .unsure }
    if let minimum = facts.minimum, value < minimum.value || minimum.isExclusive && value == minimum.value {
      return .invalid
    }
    if let maximum = facts.maximum, value > maximum.value || maximum.isExclusive && value == maximum.value {
      return .invalid
    }
    let matching = checkValues { expected in
      guard case .number(let expected) = expected else { return .invalid }
      return expected == value ? .valid : expected.isNaN ? .unsure : .invalid
    }
    return min(validity, matching)
  }
}

/// Numbers as they are spelled.
enum JSONNumber {
  /// Without a fraction or an exponent.
  static func isWhole(_ number: UnsafeRawBufferPointer) -> Bool {
    number.allSatisfy { $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: "-") }
  }

  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
    1e20, 1e21, 1e22,
  ]

  /// The nearest Double, where one operation on exact ones gives it: up to 15 digits and a power of ten up to
  /// 22. `nil` for others, so that nothing is concluded from them.
  static func value(of number: UnsafeRawBufferPointer) -> Double? {
    var mantissa = 0
    var digits = 0
    var fraction = 0
    var exponent = 0
    var isNegative = false
    var isExponentNegative = false
    enum Part { case whole, fraction, exponent }
    var part = Part.whole
    for (index, byte) in number.enumerated() {
      switch byte {
      case UInt8(ascii: "-"): if index == 0 { isNegative = true } else { isExponentNegative = true }
      case UInt8(ascii: "+"): break
      case UInt8(ascii: "."): part = .fraction
      case UInt8(ascii: "e"), UInt8(ascii: "E"): part = .exponent
      default:
        let digit = Int(byte &- UInt8(ascii: "0"))
        if part == .exponent {
          exponent = min(exponent * 10 + digit, 10_000)
        } else {
          mantissa = mantissa * 10 + digit
          if mantissa > 0 { digits += 1 }
          guard digits <= 15 else { return nil }
          if part == .fraction { fraction += 1 }
        }
      }
    }
    let power = (isExponentNegative ? -exponent : exponent) - fraction
    guard power.magnitude < powers.count else { return nil }
    let magnitude = power < 0 ? Double(mantissa) / powers[-power] : Double(mantissa) * powers[power]
    return isNegative ? -magnitude : magnitude
  }
}
