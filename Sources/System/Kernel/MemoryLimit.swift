internal import SystemPackage

/// How much memory this process may use at all: what a segment must fit into before its pages are allocated,
/// since past a control group's limit the kernel kills instead of refusing.
public enum MemoryLimit {
    /// Bytes: the least of the machine's memory and the limits of this process's control group and its
    /// parents (version 2, and version 1 where it is mounted the usual way). nil if nothing can be read.
    public static func bytes() -> Int? {
        var limits: [Int] = []
        if let total = text("/proc/meminfo").flatMap(memTotal) { limits.append(total) }
        for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let unified = parts[0] == "0" && parts[1].isEmpty
            guard unified || parts[1].split(separator: ",").contains("memory") else { continue }
            let root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            // Above `memory.high` nothing is killed, but everything is slowed down to nothing.
            let files = unified ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"]
            for group in groups(String(parts[2])) {
                limits += files.compactMap { number(text("\(root)\(group)/\($0)")) }
            }
        }
        return limits.min()
    }

    /// A group's path and those of its parents, the root last as an empty string.
    static func groups(_ path: String) -> [String] {
        var parts = path.split(separator: "/")
        var paths: [String] = []
        while !parts.isEmpty {
            paths.append("/" + parts.joined(separator: "/"))
            parts.removeLast()
        }
        return paths + [""]
    }

    /// The number that a limit file holds; nil for "max" and for anything else.
    static func number(_ text: String?) -> Int? {
        text.flatMap { $0.split(separator: "\n").first }.flatMap { Int($0) }
    }

    static func memTotal(_ meminfo: String) -> Int? {
        guard let line = meminfo.split(separator: "\n").first(where: { $0.hasPrefix("MemTotal:") }) else {
            return nil
        }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// The first few kilobytes of a small file of the kernel's.
    private static func text(_ path: String) -> String? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly) else { return nil }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 4096)
        // The buffer outlives the call.
        guard let count = try? unsafe bytes.withUnsafeMutableBytes({ try unsafe file.read(into: $0) }) else {
            return nil
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
