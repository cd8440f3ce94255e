/// Which module may import what, which folders these modules are in, and where `unsafe` may be said. Dependencies
/// point down only: a module imports modules above it in this table, never below.
///
/// To add a module, add a row at its height. A row that needs much is a module that does too much.

struct ModuleRow: Sendable {
    let name: String
    /// Own modules, system modules and library products; nothing else may be imported.
    let imports: Set<String>
    /// Where the module's files may say `unsafe`.
    let unsafe: UnsafeScope

    init(_ name: String, _ imports: Set<String>, unsafe: UnsafeScope = .nowhere) {
        self.name = name
        self.imports = imports
        self.unsafe = unsafe
    }
}

enum UnsafeScope: Sendable {
    case nowhere, anywhere
    /// In these files of the module.
    case files(Set<String>)

    func allows(file: String) -> Bool {
        switch self {
        case .nowhere: false
        case .anywhere: true
        case .files(let files): files.contains(file)
        }
    }
}

enum ImportTable {
    /// A module each, in Sources/FLOOR/NAME or Sources/NAME; from the bottom up.
    static let modules: [ModuleRow] = [
        // C: module maps and shims.
        ModuleRow("CXXHash", []),
        ModuleRow("CZlib", []),
        ModuleRow("CBrotli", []),
        ModuleRow("CZstd", []),
        ModuleRow("CVector", []),
        ModuleRow("CKernel", []),
        ModuleRow("CPolicies", []),
        // Pure: no unsafe, no I/O, no clock. Bytes alone has a vector scan and an owned buffer.
        ModuleRow(
            "Bytes", ["CVector", "CXXHash", "Synchronization"],
            unsafe: .files(["Scan.swift", "ByteBuffer.swift", "ByteBuffer+Room.swift"])),
        ModuleRow("HTTP", ["Bytes"]),
        ModuleRow("Settings", ["Bytes"]),
        ModuleRow("Eviction", []),
        ModuleRow("Caching", ["Bytes", "HTTP", "Settings"]),
        ModuleRow("Balancing", ["Bytes"]),
        ModuleRow("Machines", ["Bytes", "Caching", "HTTP", "Synchronization"]),
        // YAML to Settings. The shipped policies are C strings of the binary.
        ModuleRow(
            "Configuration", ["CPolicies", "CYaml", "Foundation", "Settings", "SystemPackage"],
            unsafe: .files(["FileSource.swift", "ReasonsPage.swift", "ShippedPolicies.swift", "YAMLNode+Parse.swift"])),
        // Owners: unsafe inside, safe API.
        ModuleRow("Kernel", ["Bytes", "CKernel", "Glibc", "Synchronization", "SystemPackage"], unsafe: .anywhere),
        ModuleRow(
            "Store", ["Bytes", "Eviction", "Glibc", "Kernel", "Synchronization", "SystemPackage"], unsafe: .anywhere),
        // Engines and the data plane.
        ModuleRow("Compression", ["Bytes", "CBrotli", "CZlib", "CZstd"], unsafe: .anywhere),
        ModuleRow(
            "Loop", ["Bytes", "Kernel", "Synchronization", "SystemPackage"],
            unsafe: .files(["FixedTable.swift", "SlotTable.swift", "TimerWheel.swift"])),
        ModuleRow("AccessLog", ["Bytes", "Kernel", "Loop", "Synchronization", "SystemPackage"]),
        ModuleRow("Files", ["Bytes", "HTTP", "Kernel", "Loop", "Synchronization", "SystemPackage"]),
        ModuleRow(
            "DataPlane",
            [
                "AccessLog", "Balancing", "Bytes", "Caching", "Compression", "Machines", "Files", "HTTP", "Kernel",
                "Logging", "Loop", "Settings", "Store", "Synchronization", "SystemPackage",
            ]),
        // The executable: commands.
        ModuleRow(
            "larder",
            [
                "ArgumentParser", "Balancing", "Bytes", "Caching", "Configuration", "Machines", "Files", "Foundation",
                "HTTP", "Kernel", "Logging", "DataPlane", "Settings", "Store", "Synchronization", "SystemPackage",
            ]),
    ]

    /// Programs outside Sources, by folder.
    static let programs: [ModuleRow] = [
        ModuleRow("perf/Distance", ["Kernel", "Synchronization", "SystemPackage"]),
        ModuleRow("perf/Floor", ["Bytes", "Kernel", "SystemPackage"]),
        ModuleRow("perf/Codings", ["Bytes", "Compression", "CZlib", "Foundation"], unsafe: .anywhere),
        ModuleRow("perf/Pace", ["Bytes", "Glibc", "HTTP", "Kernel", "SystemPackage"]),
        ModuleRow("perf/Replay", ["Bytes", "Glibc", "Store", "TraceReader"]),
        ModuleRow(
            "perf/Micro",
            ["Benchmark", "Bytes", "Caching", "HTTP", "PackageDescription", "Settings", "Steps", "Store"]),
    ]

    static let rows: [String: ModuleRow] = Dictionary(
        uniqueKeysWithValues: (modules + programs).map { ($0.name, $0) })

    /// Not modules of ours: whatever they are, a row must name them.
    static let external: Set<String> = [
        "ArgumentParser", "Foundation", "Glibc", "Logging", "Synchronization", "SystemPackage", "CYaml",
    ]

    /// Files that promise the compiler what it cannot check, beside `unsafe`: `@unchecked Sendable`.
    static let unchecked: Set<String> = [
        // The shared mapping: its words are atomics, its bodies are published once.
        "Sources/System/Store/Arena.swift"
    ]

    /// Files that may end the process by `fatalError`.
    static let fatal: Set<String> = []
}
