internal import Codecs
internal import SchemaRegistry

// What must not come out in the clear by being overlooked.
extension PlanCompiler {
  /// Refuses what would come out in the clear although it, or something around it, is sealed or tagged.
  func checkCoverage(
    _ plan: FieldPlan, _ layers: WriterLayers, _ sink: SinkSubject, _ name: String
  ) throws(PlanRefusal) {
    guard settings.steps.seals else { return }
    let clear = plan.leftClear.filter { !isAccepted($0) }
    guard clear.isEmpty else {
      throw PlanRefusal(
        name,
        "the tag of a field around them does not reach \(clear.joined(separator: ", ")), which would stay in the "
          + "clear as clients leave them; tag them, or name them in acceptClear")
    }
    for field in plan.fields where field.sealing.isEmpty && !layers.rules(hitting: field).isEmpty {
      guard isAccepted(field.name) else { throw uncovered(field.name, name) }
    }
    // To open the payload is to accept that what is not sealed inside comes out in the clear.
    guard
      layers.payload.all.isEmpty || !sink.payloadTargets.isEmpty
        || settings.steps.opens && layers.payload.dormant.isEmpty
    else {
      throw PlanRefusal(
        name,
        "the writer's rules seal the payload and those of \(sink.subject) do not; "
          + (settings.steps.opens
            ? "not all of them run on reading, so add an ENCRYPT_PAYLOAD rule to the sink's schema"
            : "add a decrypt step before, or an ENCRYPT_PAYLOAD rule to the sink's schema"))
    }
  }

  func isAccepted(_ field: String) -> Bool { settings.allowances.clearFields.contains(field) }

  func uncovered(_ field: String, _ name: String) -> PlanRefusal {
    PlanRefusal(
      name,
      "the writer's rules seal \(field) and the sink's do not, so it might come out in the clear; tag it in the "
        + "sink's schema, or name it in acceptClear")
  }
}
