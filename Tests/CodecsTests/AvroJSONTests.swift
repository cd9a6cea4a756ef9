import Codecs
import JSON
import Testing

struct AvroJSONTests {
  private let schema = """
    {"type":"record","name":"A","fields":[
      {"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
      {"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"y","type":"bytes"},{"name":"s","type":"string"},
      {"name":"x","type":{"type":"fixed","name":"X","size":2}},
      {"name":"e","type":{"type":"enum","name":"E","symbols":["P","Q"]}},
      {"name":"a","type":{"type":"array","items":"int"}},{"name":"m","type":{"type":"map","values":"string"}},
      {"name":"u","type":["null","long",{"type":"record","name":"R","fields":[{"name":"z","type":"string"}]}]},
      {"name":"o","type":["null","string"],"default":null}]}
    """

  @Test func documentsSurvive() throws {
    let text = """
      {"n":null,"b":true,"i":-1,"l":9007199254740993,"f":1.5,"d":-0.25,"y":"AP8=","s":"naïve","x":"AQI=","e":"Q",\
      "a":[1,2,3],"m":{"k":"v"},"u":{"z":"in"},"o":null}
      """
    let avro = try AvroSchema(parsing: schema)
    let body = try AvroJSONEncoder.body(JSONValue(parsing: text), schema: avro)
    let document = try body.withUnsafeBytes { try AvroJSONDecoder.document($0, schema: avro) }
    #expect(document == (try JSONValue(parsing: text)))
  }

  @Test(arguments: [
    (#""long""#, "1.5"), (#""string""#, "1"), (#"["null","int"]"#, #""x""#),
    (#"{"type":"fixed","name":"F","size":3}"#, #""AQI=""#),
    (#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#, "{}"), (#""bytes""#, #""%""#),
    (#"{"type":"enum","name":"E","symbols":["A"]}"#, #""B""#),
  ])
  func refusesWhatDoesNotFit(_ schema: String, _ document: String) throws {
    let avro = try AvroSchema(parsing: schema)
    #expect(throws: AvroEncodingError.self) {
      try AvroJSONEncoder.body(JSONValue(parsing: document), schema: avro)
    }
  }

  @Test(arguments: [[], [2], [0x80], [1, 2, 3]])
  func refusesDamage(_ body: [UInt8]) throws {
    let avro = try AvroSchema(
      parsing: #"{"type":"record","name":"A","fields":[{"name":"s","type":"string"}]}"#)
    #expect(throws: RecordError.self) {
      try body.withUnsafeBytes { try AvroJSONDecoder.document($0, schema: avro) }
    }
  }

  @Test func bytesAreBase64ButInDefaultsCharacters() throws {
    let avro = try AvroSchema(
      parsing: """
        {"type":"record","name":"A","fields":[
          {"name":"a","type":"bytes"},{"name":"b","type":"bytes","default":"\\u00FFb"}]}
        """)
    #expect(try AvroJSONEncoder.body(["a": "AQI="], schema: avro) == [4, 1, 2, 4, 0xFF, 0x62])
  }

  @Test func aHugeCountOfNothingEnds() throws {
    let avro = try AvroSchema(parsing: #"{"type":"array","items":"null"}"#)
    let body: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]
    #expect(throws: RecordError.self) {
      try body.withUnsafeBytes { try AvroJSONDecoder.document($0, schema: avro) }
    }
  }
}
