// swift-tools-version: 6.2
// Micro-benchmarks of the steps of a request: a package of its own, so that what it needs burdens no build of
// Larder and none of its tests. `perf/micro` runs it.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "micro",
    // The benchmark library's plugin asks for it; Linux has no such number.
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "larder", path: "../.."),
        // Without its traits: they want jemalloc, and allocations are counted elsewhere.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "Steps", dependencies: [.product(name: "RequestPath", package: "larder")],
            swiftSettings: strict),
        // Runs one step so many times, for callgrind.
        .executableTarget(name: "steps-run", dependencies: ["Steps"], swiftSettings: strict),
        .executableTarget(
            name: "RequestPath", dependencies: ["Steps", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/RequestPath", swiftSettings: [.swiftLanguageMode(.v6)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
