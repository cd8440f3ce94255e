/// A policy, compiled for judging the requests and answers of one route.
///
/// Each thread makes its own for each (policy, upstream) pair: a copy counts references, and threads that
/// share a reference count slow each other down. Functions borrow it. The rules themselves are the tables of
/// `Rules+Request`, `Rules+Response` and `Rules+Use`; this file only holds the values that they read.
internal import Bytes
public import HTTP
public import Settings

/// The scheme of a request: that of the listener, or the one that a trusted proxy states. Never the client's
/// statement.
public enum Scheme: UInt8, Sendable, BitwiseCopyable {
    case http, https

    @inlinable public var defaultPort: UInt16 { self == .http ? 80 : 443 }
}

public final class Rules: Sendable {
    /// Increase it whenever a change of the rules could judge the same answer differently. Records judged
    /// under another revision are not served.
    static var revision: Int { 7 }
    /// Maximum bytes of host, path and query.
    static var urlLimit: Int { 2048 }
    /// The longest lifetime for statuses from 400 on, under every policy.
    static var errorLifetimeMilliseconds: Int64 { 10_000 }

    /// The size of the largest body that is stored.
    public let maxBodyBytes: Int
    /// The size of the largest head that is stored, without the blank line.
    public let maxHeadBytes: Int
    public let cacheStatus: Policy.CacheStatus
    public let compression: CompressionRules
    /// Identifies the `store` settings and the revision that an entry was judged under.
    public let fingerprint: UInt32

    let statuses: StatusSet
    let maxAgeMilliseconds: Int64
    let minAgeMilliseconds: Int64
    @usableFromInline let heuristicPercent: Int64
    let noCache: Policy.NoCache
    let reading: Policy.Reading
    let cookies: Policy.Cookies
    let authorization: Policy.Authorization
    let clientRefresh: Policy.ClientRefresh
    let stale: Policy.Stale
    let keyPrefix: Hash128
    /// The parts with storage of their own, behind one reference: a copy of Rules counts one reference
    /// instead of several.
    let names: Names

    final class Names: Sendable {
        /// Names in lower case that Vary may list; nil if any name is allowed.
        let vary: [[UInt8]]?
        let query: KeyedQuery

        init(_ policy: Policy) {
            switch policy.store.vary {
            case .any: vary = nil
            case .list(let names): vary = names.map { Array($0.lowercased().utf8) }
            }
            query = KeyedQuery(policy.query)
        }
    }

    /// - Parameter upstream: the upstream's name, unique in the configuration.
    public init(policy: Policy, upstream: String) {
        let store = policy.store
        maxBodyBytes = store.maxBodyBytes
        maxHeadBytes = store.maxHeadBytes
        cacheStatus = policy.serve.cacheStatus
        compression = CompressionRules(policy.compress)
        fingerprint = Self.fingerprint(of: policy)
        statuses = StatusSet(policy: store.statuses)
        maxAgeMilliseconds = Int64(clamping: store.maxAgeSeconds.multipliedSaturating(by: 1000))
        minAgeMilliseconds = Int64(clamping: store.minAgeSeconds.multipliedSaturating(by: 1000))
        heuristicPercent = Int64(store.heuristicPercent)
        noCache = store.noCache
        reading = store.reading
        cookies = store.cookies
        authorization = store.authorization
        clientRefresh = policy.serve.clientRefresh
        stale = policy.serve.stale
        names = Names(policy)
        keyPrefix = Self.keyPrefix(policy.query, upstream: upstream)
    }

    /// A hash of all settings that decide what is stored, and how. `serve` is not part of it, because it is
    /// read at each use.
    private static func fingerprint(of policy: Policy) -> UInt32 {
        let store = policy.store
        var text = "\(revision)|\(store.maxBodyBytes)|\(store.maxHeadBytes)|"
        switch store.statuses {
        case .any: text += "any"
        case .list(let statuses): text += "\(statuses.sorted())"
        }
        text += "|\(store.maxAgeSeconds)|\(store.minAgeSeconds)|\(store.heuristicPercent)"
        text += "|\(store.noCache.rawValue)|\(store.reading.rawValue)"
        text += "|\(store.cookies.rawValue)|\(store.authorization.rawValue)|"
        switch store.vary {
        case .any: text += "any"
        case .list(let names): text += names.map { $0.lowercased() }.sorted().joined(separator: ",")
        }
        text += "|\(policy.compress.types)|\(policy.compress.minBodyBytes)"
        text += "|\(policy.compress.answers != .none)"
        return UInt32(truncatingIfNeeded: XXH3.hash64(Array(text.utf8).span, seed: 0))
    }

    /// The prefix of every key. It differs between upstreams and between key settings, so that a change of
    /// the settings cannot confuse old and new keys. The hashed text comes from the configuration only.
    private static func keyPrefix(_ query: Policy.Query, upstream: String) -> Hash128 {
        let text: String
        switch query {
        case .keep: text = "keep"
        case .sort: text = "sort"
        case .ignore: text = "ignore"
        case .only(let names): text = "only|" + names.joined(separator: "&")
        }
        return XXH3.hash128(Array("\(upstream)\n\(text)".utf8).span, seed: 0)
    }
}

extension Int {
    fileprivate func multipliedSaturating(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

extension Rules {
    /// Did the request, rather than the resource, cause an answer with this status? Then it does not predict
    /// what other requests get, and says nothing about the stored entry.
    public static func isShapedByRequest(status: UInt16) -> Bool { Policy.Statuses.isForbidden(Int(status)) }
}

/// The statuses that may be stored: the policy's list, without those that no policy may list.
struct StatusSet: Sendable {
    private var words: InlineArray<10, UInt64>

    init(policy statuses: Policy.Statuses) {
        words = InlineArray(repeating: 0)
        switch statuses {
        case .any: for status in 200...599 { insert(status) }
        case .list(let statuses): for status in statuses { insert(status) }
        }
    }

    private mutating func insert(_ status: Int) {
        guard !Policy.Statuses.isForbidden(status) else { return }
        words[status >> 6] |= 1 << UInt64(status & 63)
    }

    @inline(__always)
    func contains(_ status: UInt16) -> Bool {
        let status = Int(status)
        return status < 600 && words[status >> 6] & (1 << UInt64(status & 63)) != 0
    }
}

extension Rules {
    /// As `CompressionRules.isCompressible`. Calling it here avoids counting references to its tables.
    public func isCompressible(_ response: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        compression.isCompressible(response, bytes)
    }
}
