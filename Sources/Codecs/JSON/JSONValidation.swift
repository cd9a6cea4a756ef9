/// Tells the branches of combined schemas apart by looking at a value, without changing anything.
struct JSONValidation {
  private let program: JSONProgram
  private var reader: JSONReader
  /// Steps that may still be taken.
  private(set) var budget: Int

  /// What bounds the time that a schema can make a record take: some hundredths of a second, and some microseconds
  /// a byte.
  static func budget(for byteCount: Int) -> Int { 1 << 20 + 64 * byteCount }

  /// Validators inside each other, and there may be several at one value.
  private static let maximumLevels = 2 * RecordLimits.depth

  init(program: JSONProgram, reader: JSONReader, budget: Int) {
    self.program = program
    self.reader = reader
    self.budget = budget
  }

  /// The state that follows for the value that comes next.
  ///
  /// Records are valid against their schema, so a single branch that may fit is the one. Where several may, what
  /// they lead to must be the same.
  mutating func decide(_ decision: JSONProgram.Decision, depth: Int) throws(RecordError) -> Int32 {
    decision.takesFirst ? try first(decision, depth) : try every(decision, depth)
  }

  private mutating func first(_ decision: JSONProgram.Decision, _ depth: Int) throws(RecordError) -> Int32 {
    let start = reader.position
    var chosen: Int32 = -1
    for (validator, outcome) in zip(decision.validators, decision.outcomes) {
      reader.position = start
      let validity = try check(validator, depth, 0)
      if validity == .invalid { continue }
      guard chosen < 0 || chosen == Int32(outcome) else { throw RecordError(.ambiguous, at: start) }
      chosen = Int32(outcome)
      if validity == .valid { break }
    }
    guard chosen >= 0 else { throw RecordError(.noAlternative, at: start) }
    return chosen
  }

  private mutating func every(_ decision: JSONProgram.Decision, _ depth: Int) throws(RecordError) -> Int32 {
    let start = reader.position
    var certain: UInt64 = 0
    var candidates: UInt64 = 0
    var certainCount = 0
    // By position of the branch.
    var unsure: UInt64 = 0
    for (position, validator) in decision.validators.enumerated() {
      reader.position = start
      switch try check(validator, depth, 0) {
      case .invalid: continue
      case .unsure: unsure |= 1 << UInt64(position)
      case .valid:
        certain |= decision.outcomes[position]
        certainCount += 1
      }
      candidates |= decision.outcomes[position]
    }
    guard certainCount + unsure.nonzeroBitCount > 0 else { throw RecordError(.noAlternative, at: start) }
    guard let state = decision.states[candidates] else { throw RecordError(.ambiguous, at: start) }
    if certainCount + unsure.nonzeroBitCount == 1 { return state }
    // If what is certain leads to the same as everything together, so does whatever lies between.
    var isSame = certainCount == 0 || decision.states[certain] == state
    for position in decision.outcomes.indices where certainCount == 0 && unsure >> UInt64(position) & 1 == 1 {
      isSame = isSame && decision.states[decision.outcomes[position]] == state
    }
    guard isSame else { throw RecordError(.ambiguous, at: start) }
    return state
  }

  // MARK: Values

  /// Checks the value that comes next. Unless it is invalid, its end is reached.
  private mutating func check(_ number: Int32, _ depth: Int, _ level: Int) throws(RecordError) -> JSONValidity
  {
    budget -= 1
    guard budget > 0 else { throw RecordError(.tooComplex, at: reader.position) }
    guard number >= 0 else {
      try reader.skipValue(depth: depth)
      return .valid
    }
    guard level < Self.maximumLevels else { throw RecordError(.tooDeep, at: reader.position) }
    let validator = program.validators[Int(number)]
    let start = reader.position
    let kind = try reader.kind()
    guard !validator.facts.acceptsNothing else { return .invalid }
    var validity: JSONValidity = validator.opaque.contains(JSONKinds(kind)) ? .unsure : .valid
    if let types = validator.types, types.isDisjoint(with: kind.types) { return .invalid }
    for part in validator.allOf {
      reader.position = start
      validity = min(validity, try check(part, depth, level + 1))
      if validity == .invalid { return .invalid }
    }
    validity = min(validity, try alternatives(validator, start, depth, level))
    if validity == .invalid { return .invalid }
    reader.position = start
    return min(validity, try own(validator, kind, depth, level))
  }

  private mutating func alternatives(
    _ validator: JSONValidator, _ start: Int, _ depth: Int, _ level: Int
  ) throws(RecordError) -> JSONValidity {
    var any: JSONValidity = validator.anyOf.isEmpty ? .valid : .invalid
    for part in validator.anyOf where any != .valid {
      reader.position = start
      any = max(any, try check(part, depth, level + 1))
    }
    guard any != .invalid, !validator.oneOf.isEmpty else { return any }
    var counts = (valid: 0, unsure: 0)
    for part in validator.oneOf where counts.valid < 2 {
      reader.position = start
      switch try check(part, depth, level + 1) {
      case .invalid: break
      case .unsure: counts.unsure += 1
      case .valid: counts.valid += 1
      }
    }
    if counts.valid > 1 || counts.valid + counts.unsure == 0 { return .invalid }
    return counts.unsure == 0 ? any : .unsure
  }

  /// What the validator says itself.
  private mutating func own(
    _ validator: JSONValidator, _ kind: JSONKind, _ depth: Int, _ level: Int
  ) throws(RecordError) -> JSONValidity {
    switch kind {
    case .object: return min(try object(validator, depth + 1, level + 1), validator.expects(.object))
    case .array: return min(try array(validator, depth + 1, level + 1), validator.expects(.array))
    case .string: return validator.check(try reader.string(), in: reader)
    case .number:
      let start = reader.position
      try reader.number()
      return validator.check(reader.range(start..<reader.position))
    case .boolean:
      let flag = reader.peek == UInt8(ascii: "t")
      try reader.skipValue(depth: depth)
      return validator.checkValues { if case .boolean(flag) = $0 { .valid } else { .invalid } }
    case .null:
      try reader.skipValue(depth: depth)
      return validator.checkValues { if case .null = $0 { .valid } else { .invalid } }
    }
  }

  // MARK: Parts

  /// A member written twice is understood differently by different parsers, so nothing is certain then.
  private mutating func object(
    _ validator: JSONValidator, _ depth: Int, _ level: Int
  ) throws(RecordError) -> JSONValidity {
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    // By position among the validator's properties; of more than these, those beyond are taken on trust.
    var seen = InlineArray<8, UInt64>(repeating: 0)
    var validity = JSONValidity.valid
    var isDuplicated = false
    var count = 0
    reader.position += 1
    reader.skipWhitespace()
    if reader.peek != UInt8(ascii: "}") {
      while true {
        let name = try reader.string()
        let position = reader.withText(name) { $0.map { validator.properties.position(of: $0) } ?? -1 }
        reader.skipWhitespace()
        try reader.expect(UInt8(ascii: ":"))
        reader.skipWhitespace()
        let member = position < 0 ? validator.additional : validator.properties.values[position]
        if position >= 0, position < JSONValidator.trackedCount {
          let bit: UInt64 = 1 << UInt64(position & 63)
          isDuplicated = isDuplicated || seen[position >> 6] & bit != 0
          seen[position >> 6] |= bit
        }
        // The JVM client writes null for any declared member that is absent (specification section D.4).
        let mayBeAbsent = position >= 0 && reader.peek == UInt8(ascii: "n")
        let memberValidity = try part(member, isSkipped: validity == .invalid, depth, level)
        validity = min(validity, mayBeAbsent ? max(memberValidity, .unsure) : memberValidity)
        count += 1
        reader.skipWhitespace()
        guard reader.take(UInt8(ascii: ",")) else { break }
        reader.skipWhitespace()
      }
    }
    try reader.expect(UInt8(ascii: "}"))
    if isDuplicated { return .unsure }
    for position in 0..<min(validator.requiredCount, JSONValidator.trackedCount)
    where seen[position >> 6] >> UInt64(position & 63) & 1 == 0 {
      return .invalid
    }
    if validator.properties.values.count > JSONValidator.trackedCount { validity = min(validity, .unsure) }
    return validator.facts.propertyCounts.contains(count) ? validity : .invalid
  }

  private mutating func array(
    _ validator: JSONValidator, _ depth: Int, _ level: Int
  ) throws(RecordError) -> JSONValidity {
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    var validity = JSONValidity.valid
    var count = 0
    reader.position += 1
    reader.skipWhitespace()
    if reader.peek != UInt8(ascii: "]") {
      while true {
        let byPosition = validator.itemsByPosition
        let item = count < byPosition.count ? byPosition[count] : validator.items
        validity = min(validity, try part(item, isSkipped: validity == .invalid, depth, level))
        count += 1
        reader.skipWhitespace()
        guard reader.take(UInt8(ascii: ",")) else { break }
        reader.skipWhitespace()
      }
    }
    try reader.expect(UInt8(ascii: "]"))
    return validator.facts.itemCounts.contains(count) ? validity : .invalid
  }

  /// Checks a member or an item, and reaches its end whatever it is.
  private mutating func part(
    _ validator: Int32, isSkipped: Bool, _ depth: Int, _ level: Int
  ) throws(RecordError) -> JSONValidity {
    let start = reader.position
    let validity = isSkipped ? .invalid : try check(validator, depth, level)
    if validity == .invalid {
      reader.position = start
      try reader.skipValue(depth: depth)
    }
    return validity
  }
}
