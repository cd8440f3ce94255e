/// How the memory of a machine or container is divided between the cache and buffers. The kernel kills a
/// process that uses more than its limit, without a message. So the greatest use of a configuration is
/// calculated at the start.
///
///     limit   the smallest of the machine's memory and the limits of the control groups
///       − headroom   the program, its threads, and the cost of each connection in the kernel and here
///       = the cache (allocated at the start), buffers (`limits.buffers`), and slack
public struct MemoryPlan: Sendable, Equatable {
    public let cacheBytes: Int
    public let bufferBytes: Int
    /// A notice if the result differs from the request; otherwise nil.
    public let note: String?

    /// Explains which settings do not fit, with numbers and keys.
    public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    static var defaultBytes: Int { 256 << 20 }
    private static var leastCacheBytes: Int { 4 << 20 }

    /// Memory that is neither cache nor buffers. The cost of connections counts up to a quarter of the limit:
    /// with little memory, only few of the permitted connections exist at a time.
    static func headroomBytes(limit: Int, threads: Int, connections: Int) -> Int {
        programBytes(threads) + min(connections * (8 << 10), limit / 4)
    }

    private static func programBytes(_ threads: Int) -> Int { (24 << 20) + threads * (4 << 20) }

    /// - Parameters:
    ///   - limit: bytes that this process may use; nil if unknown.
    ///   - cache: `cache.memory`, if given.
    ///   - cacheMax: the size that the cache may grow to, if given.
    ///   - buffers: `limits.buffers`, if given.
    public init(
        limit: Int?, threads: Int, connections: Int, cache: Int?, cacheMax: Int? = nil, buffers: Int?
    ) throws(Refusal) {
        let defaultCache = min(Self.defaultBytes, cacheMax ?? .max)
        guard let limit else {
            cacheBytes = cache ?? defaultCache
            bufferBytes = buffers ?? Self.defaultBytes
            note = nil
            return
        }
        let leastBuffers = threads << 20
        let asked = (cache ?? Self.leastCacheBytes) + (buffers ?? leastBuffers)
        if (cache != nil || buffers != nil) && asked > limit {
            throw Self.refusal(limit: limit, cache, buffers)
        }
        let left = limit - Self.headroomBytes(limit: limit, threads: threads, connections: connections)
        // Half of the rest for the cache, a quarter for buffers. The last quarter is slack, because freed
        // memory and the kernel's memory for sockets are not counted exactly.
        let cacheShare = buffers.map { (left - $0) * 2 / 3 } ?? left / 2
        cacheBytes = cache ?? min(defaultCache, max(Self.leastCacheBytes, Self.whole(cacheShare)))
        let bufferShare = (left - cacheBytes) / 2
        if let buffers {
            bufferBytes = min(buffers, max(leastBuffers, Self.whole(left - cacheBytes)))
        } else {
            bufferBytes = min(Self.defaultBytes, max(leastBuffers, Self.whole(bufferShare)))
        }
        note = Self.note(
            limit: limit, (cacheBytes, cache ?? defaultCache), (bufferBytes, buffers ?? Self.defaultBytes),
            isTight: cacheBytes + bufferBytes > left, isLowered: buffers != nil)
    }

    private static func whole(_ bytes: Int) -> Int { bytes & ~0xf_ffff }

    private static func refusal(limit: Int, _ cache: Int?, _ buffers: Int?) -> Refusal {
        let given = [
            cache.map { "cache.memory (\(ByteCount.format($0)))" },
            buffers.map { "limits.buffers (\(ByteCount.format($0)))" },
        ].compactMap { $0 }
        let verb = given.count > 1 ? "are" : "is"
        return Refusal(
            description: "\(given.joined(separator: " and ")) \(verb) more than this process may use, "
                + "\(mebibytes(limit)) by the machine's memory and its control groups; lower "
                + "\(given.count > 1 ? "them" : "it"), or leave \(given.count > 1 ? "them" : "it") out")
    }

    private static func note(
        limit: Int, _ cache: (is: Int, asked: Int), _ buffers: (is: Int, asked: Int), isTight: Bool,
        isLowered: Bool
    ) -> String? {
        guard cache.is < cache.asked || buffers.is < buffers.asked || isTight else { return nil }
        var text = "this process may use \(mebibytes(limit)) of memory: "
        text += "cache.memory is \(ByteCount.format(cache.is)), limits.buffers "
        text += ByteCount.format(buffers.is)
        if isLowered, buffers.is < buffers.asked {
            text += " instead of \(ByteCount.format(buffers.asked)), which does not fit"
        }
        if isTight {
            text += "; with the memory of connections this is too much: the kernel may end this process. "
            text += "Lower cache.memory or limits.connections, or raise the limit"
        }
        return text
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20)MiB" }
}

extension Settings {
    /// The settings for a machine where this process may use `limit` bytes, and a notice if they were
    /// changed.
    public func fitting(
        memoryLimit limit: Int?, threads: Int
    ) throws(MemoryPlan.Refusal) -> (settings: Settings, note: String?) {
        let plan = try MemoryPlan(
            limit: limit, threads: threads, connections: limits.connections,
            cache: cache.memory,
            cacheMax: cache.memoryMax,
            buffers: limits.buffers)
        var settings = self
        settings.cache.memory = plan.cacheBytes
        settings.limits.buffers = plan.bufferBytes
        for index in settings.policies.indices {
            settings.policies[index].store.maxBodyBytes = min(
                policies[index].store.maxBodyBytes, settings.cache.largestBodyBytes)
        }
        return (settings, plan.note)
    }
}
