// swift-tools-version: 6.2
import PackageDescription

// All targets of this package use Swift 6 mode, strict memory safety, and warnings as errors.
// Dependencies point down only. A table in Tests/TidyTests enforces that.
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

/// A module in Sources/FLOOR/NAME.
func module(_ floor: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(floor)/\(name)", swiftSettings: strict)
}

func library(_ name: String, _ config: String, _ package: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/C/\(name)", pkgConfig: config, providers: [.apt([package])])
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
        // For perf/Micro, which is a separate package.
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
        library("CXXHash", "libxxhash", "libxxhash-dev"),
        library("CZlib", "zlib", "zlib1g-dev"),
        library("CBrotli", "libbrotlienc", "libbrotli-dev"),
        library("CZstd", "libzstd", "libzstd-dev"),
        .systemLibrary(name: "CVector", path: "Sources/C/CVector"),
        .target(name: "CKernel", path: "Sources/C/CKernel"),
        .target(name: "CPolicies", path: "Sources/C/CPolicies"),
        // Pure: no I/O, no clock.
        module("Pure", "Bytes", ["CVector", "CXXHash"]),
        module("Pure", "HTTP", ["Bytes"]),
        module("Pure", "Settings", ["Bytes"]),
        module("Pure", "Eviction"),
        module("Pure", "Caching", ["Bytes", "HTTP", "Settings"]),
        module("Pure", "Balancing", ["Bytes"]),
        module("Pure", "Machines", ["Bytes", "Caching", "HTTP"]),
        // Reads files into Settings. It is the only module that uses YAML.
        module("Control", "Configuration", ["CPolicies", "Settings", systemPackage, yams]),
        // Owners of memory and descriptors: unsafe code inside, a safe API outside.
        module("System", "Kernel", ["CKernel", "Bytes", systemPackage]),
        module("System", "Store", ["Bytes", "Eviction", "Kernel", systemPackage]),
        // Engines and the data plane.
        module("Engines", "Compression", ["Bytes", "CBrotli", "CZlib", "CZstd"]),
        module("Engines", "Loop", ["Bytes", "Kernel", systemPackage]),
        module("Engines", "AccessLog", ["Bytes", "Kernel", "Loop", systemPackage]),
        module("Engines", "Files", ["Bytes", "HTTP", "Kernel", "Loop", systemPackage]),
        .target(
            name: "DataPlane",
            dependencies: [
                "AccessLog", "Balancing", "Bytes", "Caching", "Compression", "Files", "HTTP", "Kernel",
                "Loop", "Machines", "Settings", "Store", log, systemPackage,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "larder",
            dependencies: [
                "Balancing", "Bytes", "Caching", "Configuration", "DataPlane", "Files", "HTTP", "Kernel",
                "Machines", "Settings", "Store", argumentParser, log, systemPackage,
            ],
            path: "Sources/Commands/larder", swiftSettings: strict),
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
        tests("MachinesTests", ["Bytes", "Caching", "HTTP", "Machines", "SeededRandom", "Settings"]),
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
        // Counts the allocations of a hit. DataPlaneTests runs it; it can also run alone in release.
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .executableTarget(
            name: "AllocationCheck",
            dependencies: [
                "AllocationCounter", "Bytes", "Kernel", "DataPlane", "Settings", "Store", log, systemPackage,
            ],
            path: "Tests/AllocationCheck", swiftSettings: strict),
        // Runs a data plane in the process of the test, with scripted origins.
        .target(
            name: "DataPlaneHarness",
            dependencies: ["Bytes", "Kernel", "DataPlane", "Settings", "Store", log, systemPackage],
            path: "Tests/DataPlaneHarness", swiftSettings: strict),
        tests(
            "DataPlaneTests",
            [
                "AllocationCheck", "Bytes", "Caching", "Compression", "Machines", "Kernel", "Loop",
                "DataPlane", "DataPlaneHarness", "FuzzChecks", "HitChecks", "SeededRandom", "Settings",
                "Store", log, systemPackage,
            ]),
        tests(
            "Conformance", ["Bytes", "Configuration", "Kernel", "DataPlane", "DataPlaneHarness", "Settings"]),
        tests(
            "SimulationTests",
            [
                "AccessLog", "Bytes", "Caching", "Compression", "DataPlane", "HTTP", "Kernel", "Loop",
                "Machines", "SeededRandom", "Settings", "Store", log, systemPackage,
            ]),
        tests("TidyTests", []),
    ]
)

// The libFuzzer targets (Tests/Fuzz). HTTPTests, CompressionTests and DataPlaneTests replay their corpora. In
// an ordinary build these programs only replay files. packaging/fuzz builds and runs them as fuzzers.
package.targets.append(
    .target(
        name: "FuzzChecks", dependencies: ["Bytes", "Compression", "HTTP"], path: "Tests/Fuzz/Checks",
        swiftSettings: strict)
)
package.targets.append(
    .target(
        name: "HitChecks",
        dependencies: ["Bytes", "Caching", "Configuration", "DataPlane", "HTTP", "Settings", "Store"],
        path: "Tests/Fuzz/HitChecks", swiftSettings: strict)
)
for name in ["FuzzRequestHead", "FuzzResponseHead", "FuzzChunked", "FuzzHTTPDate", "FuzzGzip", "FuzzHit"] {
    package.products.append(.executable(name: name, targets: [name]))
    package.targets.append(
        .executableTarget(
            name: name, dependencies: name == "FuzzHit" ? ["FuzzChecks", "HitChecks"] : ["FuzzChecks"],
            path: "Tests/Fuzz/\(name)", swiftSettings: strict))
}
