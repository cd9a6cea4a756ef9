/// Why the embedded registry does not run.
package enum RegistryServerError: Error, CustomStringConvertible {
  case stateFile(_ path: String, _ why: String)
  case cannotListen(_ address: String, _ why: String)

  package var description: String {
    switch self {
    case .stateFile(let path, let why):
      "the registry's state file \(path): \(why); repair it, or move it away to start with an empty registry"
    case .cannotListen(let address, let why): "the registry cannot listen on \(address): \(why)"
    }
  }
}
