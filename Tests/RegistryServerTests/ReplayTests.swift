import Testing

struct ReplayTests {
  @Test func everyTranscriptIsRead() {
    #expect(Transcript.all.count == 20)
    #expect(Transcript.all.map(\.steps.count).reduce(0, +) == 760)
  }

  @Test(arguments: Transcript.all)
  func answersAsTheGenuineServer(_ transcript: Transcript) async throws {
    let differences = try await Replay.differences(transcript)
    let deliberate = DeliberateDifference.steps(of: transcript)
    for (step, what) in differences where !deliberate.contains(step) {
      Issue.record("\(transcript.name) \(step): \(what)")
    }
    let unfounded = deliberate.subtracting(differences.map(\.step))
    #expect(unfounded.isEmpty, "listed as different, but not different")
  }

  @Test func deliberateDifferencesAreFew() {
    let steps = Transcript.all.map(\.steps.count).reduce(0, +)
    #expect(DeliberateDifference.all.count * 100 <= steps * 3)
    #expect(DeliberateDifference.all.allSatisfy { !$0.reason.isEmpty })
  }
}
