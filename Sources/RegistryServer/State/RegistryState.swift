/// Everything the registry knows; what the state file holds.
struct RegistryState: Hashable, Codable, Sendable {
  var schemas = SchemaState()
  var keys = KeyState()
}
