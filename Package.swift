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

let package = Package(
  name: "reseal",
  products: [],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
  ],
  targets: [
    .systemLibrary(name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

    library("JSON", [orderedCollections]),
    library("Configuration", ["JSON"]),
    library("FieldCrypto", ["COpenSSL"]),
    library("Codecs", ["JSON"]),
    library("Kafka", ["CRdkafka"]),
    library("KeyManagement", ["FieldCrypto"]),
    library("HTTPClient", ["CCurl"]),

    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    tests(of: "JSON"),
    tests(of: "Configuration", ["JSON"]),
    tests(of: "FieldCrypto"),
    tests(of: "Codecs", ["JSON"]),
    tests(of: "Kafka"),
    tests(of: "KeyManagement", ["FieldCrypto"]),
    tests(of: "HTTPClient"),
  ],
  swiftLanguageModes: [.v6]
)
