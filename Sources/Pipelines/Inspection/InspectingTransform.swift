internal import Codecs
internal import FieldCrypto
internal import Foundation
internal import JSON

/// Finds out what each tagged field of a record is, and puts a mark where it stood.
final class InspectingTransform: FieldTransform {
  private let actions: FieldActions
  private let names: [String]
  private let layers: FieldLayers
  private let reveals: Bool
  /// Begins every mark; nobody can have put it into a record.
  private let nonce = UUID().uuidString

  private(set) var findings: [FieldFinding] = []
  private(set) var failure: FieldFailure?
  /// A tagged field that cannot be told from the rest of the record.
  private(set) var hiddenField: String?

  init(_ plan: FieldPlan, _ actions: FieldActions, _ layers: FieldLayers, reveals: Bool) {
    self.actions = actions
    names = plan.fields.map(\.name)
    self.layers = layers
    self.reveals = reveals
  }

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    do throws(FieldFailure) {
      let finding = try layers.finding(of: value, actions.addresses[field], reveals: reveals)
      let mark = "\(nonce)/\(findings.count)"
      findings.append(finding)
      mark.utf8.span.withUnsafeBufferPointer { output.append(UnsafeRawBufferPointer($0)) }
      return true
    } catch {
      failure = error
      throw TransformStopped()
    }
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {
    guard !reveals else { return }
    hiddenField = names[field]
    throw TransformStopped()
  }

  /// The document with findings in place of the marks.
  func explained(_ document: JSONValue) -> JSONValue {
    var found: [String: FieldFinding] = [:]
    for (index, finding) in findings.enumerated() {
      let mark = "\(nonce)/\(index)"
      found[mark] = finding
      found[Data(mark.utf8).base64EncodedString()] = finding
    }
    return explained(document, found)
  }

  private func explained(_ value: JSONValue, _ found: [String: FieldFinding]) -> JSONValue {
    switch value {
    case .string(let text): return found[text]?.json ?? value
    case .array(let elements): return .array(elements.map { explained($0, found) })
    case .object(let members):
      var explained = JSONObject()
      for (name, member) in members { explained[name] = self.explained(member, found) }
      return .object(explained)
    default: return value
    }
  }
}

extension FieldLayers {
  /// What a value is, by authenticated opening. Throws only where a key must be looked for first, or libcrypto fails.
  func finding(
    of value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, reveals: Bool
  ) throws(FieldFailure) -> FieldFinding {
    do throws(FieldFailure) {
      let (state, inside) = try self.state(of: value, action)
      let shown = action.isText ? String(decoding: inside, as: UTF8.self) : Data(inside).base64EncodedString()
      switch state {
      case .foreign(let layer):
        return FieldFinding(state: .sealed(layer.keyName), value: reveals ? shown : nil)
      case .current, .plaintext: return FieldFinding(state: .plaintext, value: reveals ? shown : nil)
      }
    } catch .undecidable(let error) {
      return FieldFinding(state: .undecryptable(reason: "\(error)"), value: nil)
    }
  }
}
