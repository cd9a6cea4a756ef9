internal import Codecs
internal import FieldCrypto
internal import JSON

/// What the server does to the text of a schema before it stores it (specification section B.2).
enum SchemaText {
  /// Checks a schema and prints it the registry's way. Throws 42201.
  ///
  /// - Parameter references: the schemas that it may name types of, in an order in which each comes after those it
  ///   refers to itself.
  static func canonical(
    _ text: String, _ type: SchemaType, references: [ReferencedSchema]
  ) throws(APIError) -> String {
    switch type {
    case .avro:
      do {
        _ = try AvroSchema(parsing: text, references: references.texts)
      } catch {
        throw .invalidSchema(type, error.description)
      }
      return AvroPrinter.print(avro(text)).serialized()
    case .json:
      let schema: JSONValue
      do {
        schema = try JSONValue(parsing: text)
      } catch {
        throw .invalidSchema(type, "Invalid JSON schema: \(error)")
      }
      guard schema.object != nil || schema.bool != nil else {
        throw .invalidSchema(type, "Invalid JSON schema: \(schema.kindName)")
      }
      return schema.serialized()
    case .protobuf:
      do {
        _ = try ProtobufSchema(parsing: text, references: references)
        return try ProtobufPrinter.print(ProtoFile(parsing: text))
      } catch {
        throw .invalidSchema(type, "Could not parse Protobuf - \(error)")
      }
    }
  }

  /// The schema with the types of its references written out where they are first used.
  static func resolved(_ text: String, _ type: SchemaType, references: [ReferencedSchema]) -> String {
    guard type == .avro else { return text }
    return AvroPrinter.print(avro(text), inlining: references.texts.map(avro)).serialized()
  }

  /// A Protobuf schema as base64 of its descriptor; any other as it is.
  static func serialized(
    _ text: String, _ type: SchemaType, references: [ReferencedSchema]
  ) throws(APIError) -> String {
    guard type == .protobuf else { return text }
    do {
      return Base64.encode(try DescriptorWriter.write(ProtoFile(parsing: text), references: references))
    } catch {
      throw .invalidSchema(type, error.description)
    }
  }

  /// The schema with other inline tags.
  static func tagged(_ text: String, _ type: SchemaType, _ tags: AvroTags) throws(APIError) -> String {
    guard type == .avro else { throw .unprocessable("This registry changes tags of Avro schemas only") }
    return tags.apply(to: avro(text)).serialized()
  }

  /// A text that is a schema but not JSON is a bare type name.
  private static func avro(_ text: String) -> JSONValue {
    do {
      return try JSONValue(parsing: text)
    } catch {
      return .string(text)
    }
  }
}
