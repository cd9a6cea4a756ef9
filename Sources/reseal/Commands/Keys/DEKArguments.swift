import ArgumentParser
import FieldCrypto

/// Which DEK, in the words every command has for it.
struct DEKArguments: ParsableArguments {
  @Argument(help: "Name of the KEK.")
  var kek: String

  @Argument(help: "Subject, such as orders-value or :.context:orders-value.")
  var subject: String

  @Option(help: "Algorithm of the DEK.")
  var algorithm = DEKAlgorithm.aes256GCM
}

/// By its name in the DEK Registry.
extension DEKAlgorithm: ExpressibleByArgument {}
