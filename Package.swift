// swift-tools-version: 6.2
import PackageDescription

// Every own target is built strictly: Swift 6 mode, strict memory safety, warnings as errors.
// Dependencies point down only; Tests/TidyTests holds the table that enforces it.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources,
        swiftSettings: strict)
}

let package = Package(
    name: "larder",
    products: [
        .executable(name: "larder", targets: ["larder"]),
        .executable(name: "floor", targets: ["floor"]),
        .executable(name: "distance", targets: ["distance"]),
        .executable(name: "pace", targets: ["pace"]),
        .executable(name: "replay", targets: ["replay"]),
        // For perf/Micro, a package of its own.
        .library(name: "RequestPath", targets: ["Bytes", "Caching", "HTTP", "Settings", "Store"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C: module maps and shims only.
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlienc", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CVector"),
        .target(name: "CKernel"),
        .target(name: "CPolicies"),
        // Pure: no I/O, no clock.
        module("Bytes", ["CVector", "CXXHash"]),
        module("HTTP", ["Bytes"]),
        module("Settings", ["Bytes"]),
        module("Eviction"),
        module("Caching", ["Bytes", "HTTP", "Settings"]),
        module("Balancing", ["Bytes"]),
        module("Exchange", ["Bytes", "HTTP"]),
        // Files into Settings; the one module that knows YAML.
        module("Configuration", ["CPolicies", "Settings", systemPackage, yams]),
        // Owners: unsafe inside, safe API.
        module("Kernel", ["CKernel", "Bytes", systemPackage]),
        module("Store", ["Bytes", "Eviction", "Kernel", systemPackage]),
        // Engines and the data plane.
        module("Compression", ["Bytes", "CBrotli", "CZlib", "CZstd"]),
        module("Loop", ["Bytes", "Kernel", systemPackage]),
        module("AccessLog", ["Bytes", "Kernel", "Loop", systemPackage]),
        module("Files", ["Bytes", "HTTP", "Kernel", "Loop", systemPackage]),
        module(
            "Proxy",
            [
                "AccessLog", "Balancing", "Bytes", "Caching", "Compression", "Exchange", "Files", "HTTP",
                "Kernel", "Loop", "Settings", "Store", log, systemPackage,
            ]),
        .executableTarget(
            name: "larder",
            dependencies: [
                "Balancing", "Bytes", "Caching", "Configuration", "Exchange", "Files", "HTTP", "Kernel",
                "Proxy",
                "Settings", "Store", argumentParser, log, systemPackage,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "floor", dependencies: ["Bytes", "Kernel", systemPackage], path: "perf/Floor",
            swiftSettings: strict),
        .executableTarget(
            name: "distance", dependencies: ["Kernel", systemPackage], path: "perf/Distance",
            swiftSettings: strict),
        .executableTarget(
            name: "codings", dependencies: ["Bytes", "Compression", "CZlib"], path: "perf/Codings",
            swiftSettings: strict),
        .executableTarget(
            name: "pace", dependencies: ["Bytes", "HTTP", "Kernel", systemPackage], path: "perf/Pace",
            swiftSettings: strict),
        .executableTarget(
            name: "replay", dependencies: ["Bytes", "Store", "TraceReader"], path: "perf/Replay",
            swiftSettings: strict),
        // Tests.
        .systemLibrary(
            name: "CBrotliDecoder", path: "Tests/CBrotliDecoder", pkgConfig: "libbrotlidec",
            providers: [.apt(["libbrotli-dev"])]),
        tests(
            "CompressionTests",
            ["Bytes", "CBrotliDecoder", "CZlib", "CZstd", "Compression", "FuzzChecks", "SeededRandom"]),
        tests("BytesTests", ["Bytes", "SeededRandom"]),
        tests("HTTPTests", ["Bytes", "FuzzChecks", "HTTP"]),
        tests("SettingsTests", ["Configuration", "SeededRandom", "Settings"]),
        tests("CommandTests", ["Bytes", "Kernel", "larder"]),
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
        .target(
            name: "TraceReader", dependencies: ["CZlib"], path: "Tests/TraceReader", swiftSettings: strict),
        tests("EvictionTests", ["Eviction", "TraceReader"]),
        tests("CachingTests", ["Bytes", "Caching", "HTTP", "SeededRandom", "Settings"]),
        tests(
            "PolicyTests", ["Bytes", "Caching", "Configuration", "HTTP", "SeededRandom", "Settings"]),
        tests("BalancingTests", ["Balancing", "Bytes"]),
        tests("ExchangeTests", ["Exchange", "SeededRandom"]),
        tests("KernelTests", ["Bytes", "Kernel", systemPackage]),
        .executableTarget(
            name: "StorePeer", dependencies: ["Bytes", "Kernel", "Store", systemPackage],
            path: "Tests/StorePeer",
            swiftSettings: strict),
        tests(
            "StoreTests",
            ["Bytes", "Kernel", "SeededRandom", "Store", "StorePeer", "TraceReader", systemPackage]),
        tests("LoopTests", ["Bytes", "Kernel", "Loop", "SeededRandom", systemPackage]),
        tests("AccessLogTests", ["AccessLog", "Bytes", "Kernel", systemPackage]),
        tests("FilesTests", ["Bytes", "Files", "HTTP", "Kernel", systemPackage]),
        // Counts what a hit allocates; run by ProxyTests, and in release by itself.
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .executableTarget(
            name: "AllocationCheck",
            dependencies: [
                "AllocationCounter", "Bytes", "Kernel", "Proxy", "Settings", "Store", log, systemPackage,
            ],
            path: "Tests/AllocationCheck", swiftSettings: strict),
        // A data plane in the test's process, before origins that a test scripts.
        .target(
            name: "ProxyHarness",
            dependencies: ["Bytes", "Kernel", "Proxy", "Settings", "Store", log, systemPackage],
            path: "Tests/ProxyHarness", swiftSettings: strict),
        tests(
            "ProxyTests",
            [
                "AllocationCheck", "Bytes", "Caching", "Compression", "Exchange", "Kernel", "Loop", "Proxy",
                "ProxyHarness", "Settings", "Store", log, systemPackage,
            ]),
        tests("Conformance", ["Bytes", "Configuration", "Kernel", "Proxy", "ProxyHarness", "Settings"]),
        tests(
            "SimulationTests",
            [
                "Bytes", "Caching", "Exchange", "HTTP", "Kernel", "Proxy", "SeededRandom", "Settings",
                "Store",
            ]),
        tests("TidyTests", []),
    ]
)

// Fuzzing: libFuzzer targets (Tests/Fuzz), whose corpora HTTPTests and
// CompressionTests replay. An ordinary build makes programs
// that replay files. `swift build -c release --product FuzzChunked --sanitize=fuzzer -Xswiftc
// -sanitize=fuzzer,address -Xswiftc -DFUZZING -Xswiftc -use-ld=lld --scratch-path .build-fuzz` makes a
// fuzzer.
package.targets.append(
    .target(
        name: "FuzzChecks", dependencies: ["Bytes", "Compression", "HTTP"], path: "Tests/Fuzz/Checks",
        swiftSettings: strict)
)
for name in ["FuzzRequestHead", "FuzzResponseHead", "FuzzChunked", "FuzzHTTPDate", "FuzzGzip"] {
    package.products.append(.executable(name: name, targets: [name]))
    package.targets.append(
        .executableTarget(
            name: name, dependencies: ["FuzzChecks"], path: "Tests/Fuzz/\(name)", swiftSettings: strict))
}
