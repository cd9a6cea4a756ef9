/// Owns the state: one change at a time, and none that has not reached the state file.
actor Registry {
  private var state: RegistryState
  private let file: StateFile?
  private let executor = FileExecutor()

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Throws when the state file cannot be read.
  init(file: StateFile?) throws(RegistryServerError) {
    self.file = file
    state = try file?.load() ?? RegistryState()
  }

  func read<Result: Sendable>(
    _ look: @Sendable (RegistryState) throws(APIError) -> Result
  ) throws(APIError) -> Result {
    try look(state)
  }

  /// Runs `decide` on a copy, so that an error leaves no trace.
  func change<Result: Sendable>(
    _ decide: @Sendable (inout RegistryState) throws(APIError) -> Result
  ) throws(APIError) -> Result {
    var next = state
    let result = try decide(&next)
    guard next != state else { return result }
    do {
      try file?.save(next)
    } catch {
      throw APIError(50001, "Error while storing the change: \(error)")
    }
    state = next
    return result
  }

  func perform(
    _ decide: @Sendable (inout RegistryState, Call) throws(APIError) -> Answer, _ call: Call
  ) throws(APIError) -> Answer {
    try change { (state) throws(APIError) in try decide(&state, call) }
  }
}
