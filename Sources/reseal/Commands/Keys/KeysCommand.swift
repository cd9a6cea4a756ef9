import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Look at, make, rotate and wrap keys anew, and test who may use them.",
    discussion: """
      A KEK is a key in a key management service; the DEK Registry knows its name. A DEK seals the fields of one \
      subject, and is kept in the DEK Registry, wrapped by its KEK.

      Where the registry is comes from a pipeline file (--pipeline), from --registry, or from SCHEMA_REGISTRY_URL. \
      Credentials of registry and key management services are properties under the names of Confluent's clients: \
      in the pipeline file, with --property, or in the environment as their own tools have it (AWS_*, VAULT_*, \
      LOCAL_SECRET and so on; SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO for the registry). No command prints key material.
      """,
    subcommands: [
      ListKeys.self, ShowKey.self, CreateKEK.self, CreateDEK.self, RotateDEK.self, AddAlternate.self,
      RewrapKeys.self,
      TestKey.self,
      DeleteKey.self, UndeleteKey.self, PrintPolicy.self,
    ])
}
