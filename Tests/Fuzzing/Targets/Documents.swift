import FieldCrypto
import JSON

@testable import KeyManagement
@testable import SchemaRegistry

/// Any JSON text. What was read is written and read again as the same.
func fuzzJSON(_ input: UnsafeRawBufferPointer) {
  guard let document = parsed(input) else { return }
  for isPretty in [false, true] {
    let text = document.serialized(pretty: isPretty)
    precondition(Array(text.utf8).withUnsafeBytes { parsed($0) } == document)
  }
}

/// Any answer of a registry about schemas, rules, KEKs and DEKs.
func fuzzRegistry(_ input: UnsafeRawBufferPointer) {
  do {
    _ = try DEK(input, kek: "k", subject: Subject("s"), algorithm: .aes256GCM)
  } catch {
    precondition(!"\(error)".isEmpty)
  }
  guard let document = parsed(input) else { return }
  _ = KEK(document)
  do throws(ModelError) {
    let schema = try RegisteredSchema(document)
    // What is registered from it is read back as the same, but for what the registry adds.
    let again = try RegisteredSchema(schema.registration)
    precondition(again.text == schema.text && again.references == schema.references)
  } catch {
    precondition(!"\(error)".isEmpty)
  }
}

private func parsed(_ input: UnsafeRawBufferPointer) -> JSONValue? {
  do throws(JSONError) {
    return try JSONValue(parsing: input)
  } catch {
    precondition(!"\(error)".isEmpty)
    return nil
  }
}
