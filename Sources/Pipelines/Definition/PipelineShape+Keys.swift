internal import Configuration
internal import JSON

// How DEKs are named.
extension PipelineShape {
  static let priorUse: [Member] = [
    Member("kek", .name, required: true, "Name of the KEK."),
    Member("subject", .name, "Subject of the DEK (default: any)."),
    Member("algorithm", algorithm, "Algorithm of the DEK (default: any)."),
    Member("version", .integer(1...Int(Int32.max)), default: 1, "Version of the DEK."),
    Member("fields", .integer(0...Int.max), required: true, "Fields sealed under it."),
  ]

  static let keyFamily: [Member] = [
    Member("kek", .name, required: true, "Name of the KEK."),
    Member("subject", .name, required: true, "Subject of the DEK."),
    Member("algorithm", algorithm, default: "AES256_GCM", "Algorithm of the DEK."),
  ]

  static let keySet: [Member] = [
    Member("kek", .name, required: true, "Name of the KEK."),
    Member("subject", .name, "Subject of the DEK (default: any)."),
    Member("algorithm", algorithm, "Algorithm of the DEK (default: any)."),
    Member(
      "versions", .list(of: .integer(1...Int(Int32.max)), atLeast: 1), "Versions of the DEK (default: all)."),
  ]

  private static let algorithm = Shape.choice([
    .init("AES128_GCM", "AES-GCM with a key of 128 bits."),
    .init("AES256_GCM", "AES-GCM with a key of 256 bits."),
    .init("AES256_SIV", "AES-SIV, which seals equal values alike."),
  ])
}
