internal import Codecs

/// What a Protobuf field's type counts as when schemas are compared.
struct ComparedType {
  enum Kind: Equatable {
    /// Scalars of one kind stand for each other on the wire; enums are numbers.
    case scalar(String)
    /// A name without the package of the schema's file.
    case message(String)
    case map
  }

  let kind: Kind
  var label: ProtoField.Label?
  /// Of a map: its keys, then its values.
  var parts: [ComparedType] = []

  init(of field: ProtoField, in scope: String, _ side: ProtobufCompatibility.Side) {
    label = field.label
    switch field.type {
    case .map(let key, let value):
      kind = .map
      parts = [Self(plain: key, scope, side), Self(plain: value, scope, side)]
    case .named(let name), .group(let name):
      if case (let entry, .message(let message))? = side.types.find(name, from: scope), message.isMapEntry {
        kind = .map
        parts = message.fields.map { part in
          guard case .named(let name) = part.type else { return Self(plain: "", entry, side) }
          return Self(plain: name, entry, side)
        }
      } else {
        kind = Self.kind(of: name, scope, side)
      }
    }
  }

  /// A type in an entry, which is no entry itself.
  private init(plain name: String, _ scope: String, _ side: ProtobufCompatibility.Side) {
    kind = Self.kind(of: name, scope, side)
  }

  private static func kind(of name: String, _ scope: String, _ side: ProtobufCompatibility.Side) -> Kind {
    if let scalar = scalarKind(name) { return .scalar(scalar) }
    let found = side.types.find(name, from: scope)
    if case (_, .enumeration)? = found { return .scalar("number") }
    let fullName = found?.fullName ?? name
    let package = side.file.packageName.map { "\($0)." } ?? ""
    return .message(fullName.hasPrefix(package) ? String(fullName.dropFirst(package.count)) : fullName)
  }

  private static func scalarKind(_ name: String) -> String? {
    switch name {
    case "int32", "int64", "uint32", "uint64", "bool": "number"
    case "sint32", "sint64": "signed number"
    case "string", "bytes": "text"
    case "fixed32", "sfixed32": "fixed32"
    case "fixed64", "sfixed64": "fixed64"
    case "float", "double": name
    default: nil
    }
  }
}
