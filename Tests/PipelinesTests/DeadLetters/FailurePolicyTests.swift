import FieldCrypto
import KeyManagement
import SchemaRegistry
import Testing

@testable import Codecs
@testable import Pipelines

/// Which failures are a record's, which may be skipped, and what becomes of it: one line a case.
struct FailurePolicyTests {
  private static let key = KeyName(
    .init(side: .source, kek: "k", subject: Subject("s"), algorithm: .aes256GCM), version: 1)

  private static func key(_ reason: KeyError.Reason) -> KeyError { KeyError(reason, "k", "why") }

  private static func field(_ failure: FieldFailure) -> RecordFailure {
    .field(name: "t.Customer.ssn", path: ["home", "a map's key"], failure)
  }

  private static func schema(_ reason: RegistryError.Reason, code: Int? = nil) -> RecordFailure {
    .schema(.id(7), RegistryError(reason, request: "GET", code: code, message: "why"))
  }

  private static let refusal = RecordFailure.refused(PlanRefusal("schema id 7", "why"))

  @Test(
    arguments: [
      (.frame(.tooShort(3)), .noSchema, true),
      (schema(.notFound, code: 40403), .unknownSchema, true),
      (.malformed(RecordError(.truncated, at: 1)), .malformed, true),
      (.malformed(RecordError(.trailingBytes, at: 1)), .unsupportedForm, false),
      (.malformed(RecordError(.wrongWireType, at: 1)), .unsupportedForm, false),
      (.malformed(RecordError(.group, at: 1)), .unsupportedForm, false),
      (.malformed(RecordError(.tooDeep, at: 1)), .unsupportedForm, false),
      (.malformed(RecordError(.tooLarge, at: 1)), .tooLarge, false),
      (refusal, .refusedSchema, false),
      (field(.unsupportedType("long")), .unsupportedType, false),
      (field(.notSealed), .notSealed, false),
      (field(.doesNotOpen), .doesNotOpen, false),
      (field(.foreign(key)), .foreignKey, false),
      (field(.undecidable(key(.missing))), .undecidable, false),
      (field(.undecidable(key(.denied))), .undecidable, false),
      (field(.keyUnavailable(key(.damaged))), .keyUnavailable, false),
      (.payload(.doesNotOpen), .doesNotOpen, false),
      (.key(.frame(.tooShort(0))), .noSchema, true),
    ] as [(RecordFailure, FailureClass, Bool)])
  func whatIsWrongWithTheRecord(_ failure: RecordFailure, _ expected: FailureClass, _ isUnreadable: Bool) {
    #expect(FailureClass(failure) == expected && expected.isUnreadable == isUnreadable)
    func verdict(_ action: FailurePolicy.Action, _ rule: RuleAction, letters: Bool) -> FailurePolicy.Verdict {
      FailurePolicy(action, hasDeadLetters: letters).verdict(on: failure, rule: rule)
    }
    for rule in [RuleAction.error, .none, .deadLetter, .other("OWN")] {
      #expect(verdict(.stop, rule, letters: false) == .stop)
      #expect(verdict(.skip, rule, letters: false) == (isUnreadable ? .skip(expected) : .stop))
      #expect(verdict(.deadLetter, rule, letters: true) == .deadLetter(expected))
      #expect(verdict(.stop, rule, letters: true) == (rule == .deadLetter ? .deadLetter(expected) : .stop))
    }
    #expect(verdict(.skip, .deadLetter, letters: true) == .deadLetter(expected))
  }

  /// What is everybody's trouble stops or pauses the job and never costs a record.
  @Test(
    arguments: [
      schema(.notFound), schema(.unavailable), schema(.unauthorized), schema(.forbidden),
      schema(.malformedAnswer),
      .sealingKey(key(.missing)), .sealingKey(key(.unavailable)),
      field(.undecidable(key(.unavailable))), field(.undecidable(key(.misconfigured))),
      field(.keyUnavailable(key(.unavailable))), field(.usedUp(key, .stop)), field(.crypto("libcrypto")),
      .payload(.usedUp(key, .newVersionNeeded)), .key(schema(.unavailable)),
    ] as [RecordFailure])
  func whatIsNotTheRecordsFault(_ failure: RecordFailure) {
    #expect(FailureClass(failure) == nil)
    for action in FailurePolicy.Action.allCases {
      for rule in [RuleAction.error, .deadLetter] {
        #expect(FailurePolicy(action, hasDeadLetters: true).verdict(on: failure, rule: rule) == .stop)
      }
    }
  }

  @Test func onlyTheSchemasNameOfAFieldIsTold() {
    #expect(Self.field(.notSealed).fieldName == "t.Customer.ssn")
    #expect(RecordFailure.key(Self.field(.notSealed)).fieldName == "t.Customer.ssn")
    #expect(Self.refusal.fieldName == nil)
  }

  /// They are in dead letters that somebody keeps.
  @Test func theWordsStay() {
    #expect(
      FailureClass.allCases.map(\.rawValue) == [
        "no-schema", "unknown-schema", "malformed", "unsupported-form", "refused-schema", "unsupported-type",
        "not-sealed", "does-not-open", "foreign-key", "undecidable", "key-unavailable", "too-large",
      ])
  }
}
