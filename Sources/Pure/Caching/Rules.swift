/// A policy compiled for use: what one route's requests and answers are judged by.
///
/// Made for each (policy, upstream) pair, by each thread for itself: a copy counts a reference, and threads
/// that count the same one wait for each other. Every judgement borrows it. The tables of `Rules+Request`,
/// `Rules+Response` and `Rules+Use` are the law; this file only holds what they look up.
internal import Bytes
public import HTTP
public import Settings

/// The scheme a request came by: the listener's, or what a trusted proxy says. Never the client's word.
public enum Scheme: UInt8, Sendable, BitwiseCopyable {
    case http, https

    @inlinable public var defaultPort: UInt16 { self == .http ? 80 : 443 }
}

public final class Rules: Sendable {
    /// Raised whenever a change of the rules could judge an unchanged answer differently: records judged
    /// under another revision are not served.
    static var revision: Int { 7 }
    /// Bytes of host, path and query at most.
    static var urlLimit: Int { 2048 }
    /// Statuses from 400 on live this long at most, under every policy.
    static var errorLifetimeMilliseconds: Int64 { 10_000 }

    /// Bodies up to this size are stored.
    public let maxBodyBytes: Int
    /// Stored heads (without the blank line) up to this size are stored.
    public let maxHeadBytes: Int
    public let cacheStatus: Policy.CacheStatus
    public let compression: CompressionRules
    /// Marks the entries judged under these `store` settings and this revision.
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
    /// The parts with storage of their own, behind one reference: a copy of Rules counts one, not several.
    let names: Names

    final class Names: Sendable {
        /// Lower-case names that Vary may list; nil for any.
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

    /// Over everything that decides what may be stored, and how. `serve` is left out: it is read at each use.
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

    /// What stands before the scheme in every key: differs between upstreams, and between key settings, so
    /// that a change of them cannot mix up old and new keys. Only the configuration can choose what is hashed
    /// here.
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
    /// Does an answer with this status speak of one request rather than of the resource? It says nothing of
    /// what others will get, nor of what is stored.
    public static func isShapedByRequest(status: UInt16) -> Bool { Policy.Statuses.isForbidden(Int(status)) }
}

/// Which statuses may be stored: the policy's list without those that no policy may list.
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
    /// As `CompressionRules.isCompressible`; asked here, nobody counts references to its tables.
    public func isCompressible(_ response: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        compression.isCompressible(response, bytes)
    }
}
