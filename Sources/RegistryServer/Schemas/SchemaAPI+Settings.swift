internal import JSON

extension SchemaAPI {
  /// Answers for a subject without settings of its own only when `defaultToGlobal` asks for that.
  @Sendable func getConfig(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let scope = call.scope
    let isOptional = scope.name.isEmpty || call.flag("defaultToGlobal")
    let scopes = isOptional ? scope.scopes : [scope]
    let nearest = scopes.compactMap { state.schemas.configs[$0] }.first
    guard let config = nearest ?? (isOptional ? Config() : nil) else {
      throw .noConfig(scope)
    }
    return .json(config.json(effective: state.schemas.compatibility(of: scope)))
  }

  @Sendable func putConfig(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let isGlobal = call.parameters["subject"] == nil
    let fields = try call.fields(isGlobal ? "updateTopLevelConfig.arg1" : "updateSubjectLevelConfig.arg2")
    var config = state.schemas.configs[call.scope] ?? Config()
    try config.update(with: fields, dropsRules: dropsRules)
    state.schemas.configs[call.scope] = config
    return .json(config.updatedJSON)
  }

  /// Answers with what was set. The global setting can always be deleted; it goes back to the default.
  @Sendable func deleteConfig(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let scope = call.scope
    let effective = state.schemas.compatibility(of: scope)
    let config = state.schemas.configs.removeValue(forKey: scope)
    guard let config = config ?? (scope == .everything ? Config() : nil) else {
      throw .subjectNotFound(scope)
    }
    return .json(config.json(effective: effective))
  }

  @Sendable func getMode(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let scope = call.scope
    let isOptional = scope.name.isEmpty || call.flag("defaultToGlobal")
    guard let mode = state.schemas.modes[scope] ?? (isOptional ? state.schemas.mode(of: scope) : nil) else {
      throw .noMode(scope)
    }
    return .json(["mode": .string(mode.rawValue)])
  }

  /// Echoes the mode as it was sent, in whatever letter case.
  @Sendable func putMode(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let text = try call.fields("updateMode.arg2").text("mode") ?? ""
    guard let mode = Mode(rawValue: text.uppercased()) else { throw .invalidMode }
    try state.schemas.setMode(mode, of: call.scope, force: call.flag("force"))
    return .json(["mode": .string(text)])
  }

  @Sendable func deleteMode(_ state: inout RegistryState, _ call: Call) throws(APIError) -> Answer {
    let scope = call.scope
    let mode = state.schemas.modes.removeValue(forKey: scope)
    guard let mode = mode ?? (scope == .everything ? .readWrite : nil) else { throw .subjectNotFound(scope) }
    return .json(["mode": .string(mode.rawValue)])
  }
}
