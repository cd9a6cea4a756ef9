/// Header fields in their order; names compare without regard to case (RFC 9110 section 5.1).
///
/// Values may be credentials, so only names are printed.
package struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
  package struct Field: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  package private(set) var fields: [Field] = []

  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { append(name, value) }
  }

  /// Adds a field after the others, also when the name is there already.
  package mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// The first value of that name.
  package subscript(_ name: String) -> String? { all(name).first }

  /// Every value of that name, in order.
  package func all(_ name: String) -> [String] {
    let wanted = name.lowercased()
    return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
  }

  package var description: String { "HTTPHeaders(\(fields.map(\.name).joined(separator: ", ")))" }
}

extension HTTPHeaders.Field {
  /// Names that libcurl sets from the body; a second, differing one would let a request be read in two ways.
  private static let reserved: Set = ["content-length", "transfer-encoding", "expect"]

  /// Says what is wrong with a field to be sent, without quoting its value; `nil` when nothing is.
  ///
  /// A name is an RFC 9110 token. A value holds no control byte but the tab: a line break in it would start
  /// another header.
  var problem: String? {
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else { return "a header name is not a token" }
    guard Self.isSafe(value) else { return "the value of header \(name) holds a control character" }
    guard !Self.reserved.contains(name.lowercased()) else { return "header \(name) is set by the client" }
    return nil
  }

  static func isSafe(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
