import Codecs
import Foundation
import TestSupport
import Testing

/// Resolutions by fastavro; see `Tests/Interop/avro_resolution.py`, which makes them.
struct AvroResolutionFixtureTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Body: Decodable, Sendable {
      let body: String
      /// `nil` for a body that cannot be resolved.
      let expected: String?

      var bytes: [UInt8] {
        stride(from: 0, to: body.utf8.count, by: 2).compactMap { offset in
          UInt8(body.dropFirst(offset).prefix(2), radix: 16)
        }
      }
    }

    let name: String
    let writer: String
    let reader: String
    let bodies: [Body]

    var testDescription: String { name }

    func writerSchema() throws -> AvroSchema { try AvroSchema(parsing: writer) }
    func readerSchema() throws -> AvroSchema { try AvroSchema(parsing: reader) }
  }

  static let cases: [Case] = Fixtures.cases(in: "avro-resolution.json")

  @Test(arguments: cases)
  func agreesWithFastavro(_ sample: Case) throws {
    let (writer, reader) = (try sample.writerSchema(), try sample.readerSchema())
    let resolution: AvroResolution
    do {
      resolution = try AvroResolution(from: writer, to: reader)
    } catch {
      #expect(sample.bodies.allSatisfy { $0.expected == nil }, "\(error)\n\(sample.writer)\n\(sample.reader)")
      return
    }
    for body in sample.bodies {
      let resolved = body.bytes.withUnsafeBytes { bytes -> String? in
        let output = ByteArena()
        do {
          try resolution.resolve(bytes, into: output)
          return output.bytes.map { String(format: "%02x", $0) }.joined()
        } catch {
          return nil
        }
      }
      #expect(resolved == body.expected, "\(sample.writer)\n\(sample.reader)\n\(body.body)")
    }
  }

  @Test func thereAreCases() {
    let bodies = Self.cases.flatMap(\.bodies)
    #expect(Self.cases.count >= 200)
    #expect(bodies.count { $0.expected == nil } >= 50)
    #expect(bodies.count { $0.expected != nil } >= 500)
  }
}
