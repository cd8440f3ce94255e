internal import Bytes
internal import Caching
internal import HTTP
internal import Settings
public import Store

/// What a purge removes from the cache, as an administrator writes it. URLs are absolute, `http` or `https`,
/// as clients see them.
public enum Purge: Sendable, Hashable {
    /// One URL, with its query: all its variants.
    case url(String)
    /// All URLs that begin with this text, compared byte for byte.
    case prefix(String)
    /// `host` or `host:port`, for both schemes.
    case host(String)
    /// A cache group (RFC 9875). `origin` is a URL: the group belongs to its origin.
    case group(String, origin: String)
    /// A surrogate key, from `Surrogate-Key`, `xkey` or `Cache-Tag`.
    case key(String)
    case everything
}

/// Why a purge was not understood. Nothing was purged.
public struct PurgeFailure: Error, CustomStringConvertible, Sendable, Hashable {
    public let description: String
}

extension BanRules {
    /// The rules for the store of every `Server`: a ban is an encoded `PurgeScope`.
    public static let purgeScopes = BanRules(
        matches: { PurgeScope.matches(encoded: $0, key: $1, head: $2) },
        coarser: { PurgeScope.coarser(encoded: $0) })
}

extension StoreThread {
    /// Bans all records within the scope, and every response whose request was sent before (see `ban`).
    func ban(_ scope: PurgeScope, soft: Bool) {
        var encoded = ByteBuffer(capacity: PurgeScope.encodedLimit)
        if scope.encode(into: &encoded) == .all {
            banEverything(soft: soft)
        } else {
            ban(encoded.span, soft: soft)
        }
    }
}

/// Purges the store. It has its own row there.
struct Purger: ~Copyable, Sendable {
    var store: StoreThread
    /// The rules of every route that caches. A URL has a key under each of them.
    let rules: [Rules]

    init(_ store: consuming StoreThread, _ settings: Settings) {
        self.store = store
        rules = settings.routes.compactMap { route in
            route.policy.map {
                Rules(policy: settings.policies[$0], upstream: settings.upstreams[route.upstream].name)
            }
        }
    }

    /// - Parameter soft: marks the entries as outdated in place of removing them. They are revalidated before
    ///   use. If the origin allows it, they are served stale meanwhile, or if the revalidation fails.
    /// - Returns: whether the store needs a sweep.
    mutating func purge(_ purge: Purge, soft: Bool) throws(PurgeFailure) -> Bool {
        let scope: PurgeScope?
        let text: String
        switch purge {
        case .url(let url):
            try self.purge(url: url, soft: soft)
            return false
        case .prefix(let prefix): (scope, text) = (PurgeScope.prefix(url: Array(prefix.utf8).span), prefix)
        case .host(let host): (scope, text) = (PurgeScope.host(text: Array(host.utf8).span), host)
        case .group(let name, let origin):
            scope = PurgeScope.group(Array(name.utf8).span, ofOrigin: Array(origin.utf8).span)
            text = origin
        case .key(let name): (scope, text) = (name.isEmpty ? nil : .key(Array(name.utf8)), name)
        case .everything: (scope, text) = (.all, "")
        }
        guard let scope else { throw PurgeFailure(description: Self.refusal(of: purge, text)) }
        store.ban(scope, soft: soft)
        return true
    }

    private static func refusal(of purge: Purge, _ text: String) -> String {
        switch purge {
        case .host: "\(text.debugDescription) is not a host"
        case .key: "the key is empty"
        default: "\(text.debugDescription) is not an absolute http or https URL"
        }
    }

    private mutating func purge(url: String, soft: Bool) throws(PurgeFailure) {
        let isHTTPS = url.lowercased().hasPrefix("https://")
        let bytes = Array("GET \(url) HTTP/1.0\r\n\r\n".utf8)
        var request = RequestHead()
        var scan = HeadScan()
        let limits = HeadLimits(head: 16 << 10, fields: 1)
        guard request.parse(bytes.span, limits: limits, scan: &scan) == .complete(bytes.count),
            request.form == .absolute
        else { throw PurgeFailure(description: Self.refusal(of: .url(url), url)) }
        var key = ByteBuffer(capacity: 256)
        for rules in rules {
            let verdict = rules.writeKey(
                request, bytes.span, scheme: isHTTPS ? .https : .http, into: &key)
            guard case .key = verdict else { continue }
            store.purge(key: key.span, hash: store.hash(key.span), soft: soft)
        }
    }
}
