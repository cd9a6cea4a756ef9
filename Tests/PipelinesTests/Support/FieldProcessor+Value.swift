import Codecs

@testable import Pipelines

extension FieldProcessor {
  /// What one field, or a whole payload, becomes; `nil` when it is left as it is.
  static func rewritten(
    _ value: [UInt8], _ work: FieldWork, _ keys: EngineKeys, isPayload: Bool = false
  ) throws(FieldFailure) -> [UInt8]? {
    let processor = FieldProcessor()
    let actions = FieldActions([work], keys: keys)
    defer { withExtendedLifetime(actions) {} }
    processor.begin(actions)
    let output = ByteArena()
    do throws(TransformStopped) {
      let isReplaced = try value.span.withUnsafeBytes { (value) throws(TransformStopped) -> Bool in
        guard isPayload else { return try processor.transform(value, field: 0, into: output) }
        let payload = try processor.openPayload(value, actions.addresses[0])
        if payload.isOpen { try processor.closePayload(payload.inside, actions.addresses[0], into: output) }
        return payload.isOpen
      }
      return isReplaced ? Array(output.bytes) : nil
    } catch {
      throw processor.failure ?? .crypto("no reason given")
    }
  }
}
