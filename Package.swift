// swift-tools-version: 6.2
import PackageDescription

// Dependencies between targets point one way: codecs and crypto at the bottom, the commands at the top.
// `swift build --explicit-target-dependency-import-check error` and the settings below keep it so.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    swiftSettings: settings)
}

let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")

let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
  name: "reseal",
  products: [
    .executable(name: "reseal", targets: ["reseal"]),
    // Preloaded for `reseal bench engine`, to count allocations; nothing links it.
    .library(name: "AllocationCounter", type: .dynamic, targets: ["CAllocationCounter"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
  ],
  targets: [
    .systemLibrary(name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

    library("JSON", [orderedCollections]),
    library("Configuration", ["JSON"]),
    library("FieldCrypto", ["COpenSSL"]),
    library("Codecs", ["JSON"]),
    library("Threads"),
    library("Metrics"),
    library("Kafka", ["CRdkafka", "Threads"]),
    library("HTTPClient", ["CCurl", "Threads"]),
    library("SchemaRegistry", ["Codecs", "Configuration", "HTTPClient", "JSON", "Metrics", "Threads"]),
    library(
      "KeyManagement",
      ["FieldCrypto", "HTTPClient", "JSON", "Metrics", "SchemaRegistry", "Threads", logging]),
    library(
      "Pipelines",
      [
        "Codecs", "Configuration", "FieldCrypto", "JSON", "Kafka", "KeyManagement", "Metrics",
        "SchemaRegistry", "Threads", logging,
      ]),
    library(
      "RegistryServer", ["Codecs", "Configuration", "FieldCrypto", "JSON", "KeyManagement", flyingFox]),
    library("StatusPort", ["Threads", flyingSocks]),
    .target(name: "CBaselines", dependencies: ["COpenSSL", "CRdkafka"]),
    .target(name: "CAllocationCounter"),
    .target(name: "CAllocator"),
    library(
      "Benchmarking",
      [
        "CAllocator", "CBaselines", "Codecs", "FieldCrypto", "JSON", "KeyManagement", "Pipelines",
        "SchemaRegistry", "Threads",
      ]),
    .executableTarget(
      name: "reseal",
      dependencies: [
        "Benchmarking", "CAllocator", "Codecs", "Configuration", "FieldCrypto", "HTTPClient", "JSON",
        "Kafka", "KeyManagement", "Metrics", "Pipelines", "RegistryServer", "SchemaRegistry", "StatusPort",
        "Threads", argumentParser, logging, serviceLifecycle, unixSignals,
      ], swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["JSON", "Threads", logging], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests(of: "JSON"),
    tests(of: "Configuration", ["JSON"]),
    tests(of: "FieldCrypto"),
    tests(of: "Codecs", ["JSON"]),
    tests(of: "Kafka"),
    tests(of: "Metrics"),
    tests(of: "StatusPort", ["HTTPClient"]),
    tests(
      of: "Pipelines",
      ["Codecs", "Configuration", "FieldCrypto", "JSON", "Kafka", "KeyManagement", "SchemaRegistry"]),
    tests(of: "Benchmarking"),
    tests(of: "HTTPClient", ["Threads"]),
    tests(
      of: "SchemaRegistry", ["Codecs", "Configuration", "HTTPClient", "JSON", "RegistryServer", "Threads"]),
    tests(
      of: "KeyManagement",
      [
        "FieldCrypto", "HTTPClient", "JSON", "Metrics", "RegistryServer", "SchemaRegistry", "Threads",
        logging,
      ]),
    tests(
      of: "RegistryServer", ["Codecs", "Configuration", "FieldCrypto", "JSON", "KeyManagement", "Threads"]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "reseal", "Codecs", "Configuration", "FieldCrypto", "HTTPClient", "JSON", "Kafka", "KeyManagement",
        "Pipelines", "RegistryServer", "SchemaRegistry", "TestSupport", "Threads", logging,
      ],
      swiftSettings: settings),

    .target(
      name: "Fuzzing", dependencies: ["Codecs", "FieldCrypto", "JSON", "KeyManagement", "SchemaRegistry"],
      path: "Tests/Fuzzing/Targets", swiftSettings: settings),
    tests(of: "Fuzzing"),
  ],
  swiftLanguageModes: [.v6]
)

// The fuzzer links only under `make fuzz`, where libFuzzer brings `main`; what it runs is built and replayed with
// the tests.
if Context.environment["RESEAL_FUZZER"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzzing/Driver", swiftSettings: settings))
}
