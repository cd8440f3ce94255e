// swift-tools-version: 6.2
// Micro-benchmarks of the steps of a request. `perf/micro` runs them. This is a separate package, so that
// Larder and its tests do not depend on the benchmark library.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "micro",
    // The plugin of the benchmark library needs this line, although it has no effect on Linux.
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "larder", path: "../.."),
        // Without traits: they need jemalloc, and perf/micro counts allocations in a different way.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "Steps", dependencies: [.product(name: "RequestPath", package: "larder")],
            swiftSettings: strict),
        // Runs one step a given number of times, for callgrind.
        .executableTarget(name: "steps-run", dependencies: ["Steps"], swiftSettings: strict),
        .executableTarget(
            name: "RequestPath", dependencies: ["Steps", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/RequestPath", swiftSettings: [.swiftLanguageMode(.v6)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
