internal import Configuration
internal import JSON

// What is done to each record.
extension PipelineShape {
  static let steps: [Member] = [
    Member(
      "encrypt",
      .object([
        Member(
          "foreignSealed",
          .choice([
            .init("refuse", "It is a failure of the record."),
            .init("rekey", "It is opened, and sealed under the sink's key."),
          ]), default: "refuse", "What becomes of a field that is sealed already, under another key.")
      ]),
      "Seal the fields that the ENCRYPT rules of the sink subject's schema name; what is sealed under its key "
        + "already stays as it is."),
    Member(
      "rekey",
      .object([
        Member(
          "plaintext",
          .choice([
            .init("refuse", "It is a failure of the record."),
            .init("seal", "It is sealed like the others."),
          ]), default: "refuse", "What becomes of a field that is not sealed."),
        Member("force", .boolean, "Seal anew what is under the sink's key already, too."),
        Member(
          "only", .list(of: .object(keySet), atLeast: 1),
          "Re-key only what is sealed under these DEKs, such as those that leaked; the rest stays as it is."),
      ]),
      "Open what is sealed under whatever key, and seal it under the sink's; what is there already stays as it is."
    ),
    Member(
      "decrypt",
      .object([
        Member("tags", .list(of: .name, atLeast: 1), "Open only fields with one of these tags."),
        Member(
          "plaintext",
          .choice([
            .init("refuse", "It is a failure of the record."),
            .init("pass", "It goes on as it is; for topics sealed only in part."),
          ]), default: "refuse", "What becomes of a field that is not sealed."),
      ]),
      "Open the fields that the ENCRYPT rules of the schema each record was written with name."),
  ]
}
