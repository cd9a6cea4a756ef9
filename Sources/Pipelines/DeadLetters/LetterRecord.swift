/// The record of a letter, as engines take it.
struct LetterRecord: EngineInput {
  let key: UnsafeRawBufferPointer?
  let value: UnsafeRawBufferPointer?
  let headers: [Letter.Header]

  func withLastHeader<Result>(_ name: StaticString, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    let name = "\(name)"
    guard let value = headers.last(where: { $0.name == name })?.value else { return body(nil) }
    return value.withUnsafeBytes { body($0) }
  }
}

extension Letter.Content {
  /// Lends the record to an engine.
  func withRecord<Result>(_ body: (LetterRecord) -> Result) -> Result {
    func lend<Value>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Value) -> Value {
      guard let bytes else { return body(nil) }
      return bytes.withUnsafeBytes { body($0) }
    }
    return lend(key) { key in
      lend(value) { value in body(LetterRecord(key: key, value: value, headers: headers)) }
    }
  }
}
