/// The options of descriptor.proto that a registry keeps, by where they stand. The order is that in which it
/// prints those of a descriptor.
package struct ProtoOptionTable: Sendable {
  package enum Kind: Sendable, Hashable {
    case boolean
    case text
    /// Names by number.
    case enumeration([String])
  }

  package struct Entry: Sendable {
    package let name: String
    package let number: UInt32
    package let kind: Kind
  }

  package let entries: [Entry]
  /// The extension with number 1088 there (specification section D.1), such as `confluent.field_meta`.
  package let meta: String?

  private init(_ entries: [(String, UInt32, Kind)], meta: String? = nil) {
    self.entries = entries.map { Entry(name: $0.0, number: $0.1, kind: $0.2) }
    self.meta = meta
  }

  package subscript(number: UInt32) -> Entry? { entries.first { $0.number == number } }

  package subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  package static let file = ProtoOptionTable(
    [
      ("java_package", 1, .text), ("java_outer_classname", 8, .text), ("java_multiple_files", 10, .boolean),
      ("java_generate_equals_and_hash", 20, .boolean), ("java_string_check_utf8", 27, .boolean),
      ("optimize_for", 9, .enumeration(["", "SPEED", "CODE_SIZE", "LITE_RUNTIME"])),
      ("go_package", 11, .text),
      ("cc_generic_services", 16, .boolean), ("java_generic_services", 17, .boolean),
      ("py_generic_services", 18, .boolean), ("deprecated", 23, .boolean), ("cc_enable_arenas", 31, .boolean),
      ("objc_class_prefix", 36, .text), ("csharp_namespace", 37, .text), ("swift_prefix", 39, .text),
      ("php_class_prefix", 40, .text), ("php_namespace", 41, .text), ("php_metadata_namespace", 44, .text),
      ("ruby_package", 45, .text),
    ], meta: "confluent.file_meta")

  package static let message = ProtoOptionTable(
    [
      ("no_standard_descriptor_accessor", 2, .boolean), ("deprecated", 3, .boolean),
      ("map_entry", 7, .boolean),
    ], meta: "confluent.message_meta")

  package static let field = ProtoOptionTable(
    [
      ("ctype", 1, .enumeration(["STRING", "CORD", "STRING_PIECE"])), ("packed", 2, .boolean),
      ("jstype", 6, .enumeration(["JS_NORMAL", "JS_STRING", "JS_NUMBER"])), ("deprecated", 3, .boolean),
      ("debug_redact", 16, .boolean),
    ], meta: [ProtoOption].fieldMeta.name)

  package static let enumeration = ProtoOptionTable(
    [("allow_alias", 2, .boolean), ("deprecated", 3, .boolean)], meta: "confluent.enum_meta")

  package static let enumConstant = ProtoOptionTable(
    [("deprecated", 1, .boolean), ("debug_redact", 3, .boolean)], meta: "confluent.enum_value_meta")

  package static let service = ProtoOptionTable([("deprecated", 33, .boolean)])

  package static let method = ProtoOptionTable([
    ("deprecated", 33, .boolean),
    ("idempotency_level", 34, .enumeration(["IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"])),
  ])

  /// None of the options of a oneof or an extension range is kept.
  package static let none = ProtoOptionTable([])
}
