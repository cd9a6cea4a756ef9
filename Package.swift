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

    .target(name: "FieldCrypto", dependencies: ["COpenSSL"], swiftSettings: settings),

    .target(
      name: "JSON", dependencies: [.product(name: "OrderedCollections", package: "swift-collections")],
      swiftSettings: settings),

    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "FieldCryptoTests", dependencies: ["FieldCrypto", "TestSupport"], swiftSettings: settings),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
