/// What of a machine's memory, or of a container's, goes to the cache and to buffers. The kernel kills what
/// uses more than its limit, without a word: so what a configuration may come to is counted at the start.
///
///     limit   the least of the machine's memory and the limits of the control groups
///       − headroom   the program, its threads, and what each connection costs in the kernel and here
///       = the cache (allocated at the start), buffers (`limits.buffers`), and slack
public struct MemoryPlan: Sendable, Equatable {
    public let cacheBytes: Int
    public let bufferBytes: Int
    /// What differs from what was asked for, for the notices; nil: nothing.
    public let note: String?

    /// What does not fit, with the numbers and the keys.
    public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    static var defaultBytes: Int { 256 << 20 }
    private static var leastCacheBytes: Int { 4 << 20 }

    /// What is neither cache nor buffers. What connections cost is counted up to a quarter of the limit:
    /// where memory is small, few of the allowed ones are there at a time.
    static func headroomBytes(limit: Int, threads: Int, connections: Int) -> Int {
        programBytes(threads) + min(connections * (8 << 10), limit / 4)
    }

    private static func programBytes(_ threads: Int) -> Int { (24 << 20) + threads * (4 << 20) }

    /// - Parameters:
    ///   - limit: bytes that this process may use; nil: not known.
    ///   - cache: `cache.memory` where it is given.
    ///   - cacheMax: what it may grow to, where that is given.
    ///   - buffers: `limits.buffers` where it is given.
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
        // A half of it to the cache, a quarter to buffers: the rest is slack, since neither what is freed
        // nor what the kernel holds for sockets is counted by the byte.
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
            text += "; with what connections need that is too much: the kernel may end this process. Lower "
            text += "cache.memory or limits.connections, or raise the limit"
        }
        return text
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20)MiB" }
}

extension Settings {
    /// The settings as they are used on a machine where this process may use `limit` bytes, and what to say
    /// of it.
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
