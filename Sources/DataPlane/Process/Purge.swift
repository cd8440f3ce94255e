internal import Bytes
internal import Caching
internal import HTTP
internal import Settings
public import Store

/// What is to be taken out of the cache, in the words of whoever asks for it. Texts are URLs as clients see
/// them: absolute, `http` or `https`.
public enum Purge: Sendable, Hashable {
    /// One URL, with its query: all its variants.
    case url(String)
    /// All URLs that begin so, byte for byte.
    case prefix(String)
    /// `host` or `host:port`; both schemes.
    case host(String)
    /// A cache group (RFC 9875) of the origin of a URL.
    case group(String, origin: String)
    /// A surrogate key: of `Surrogate-Key`, `xkey` or `Cache-Tag`.
    case key(String)
    case everything
}

/// Why a purge could not be understood. Nothing was purged.
public struct PurgeFailure: Error, CustomStringConvertible, Sendable, Hashable {
    public let description: String
}

extension BanRules {
    /// Bans are encoded `PurgeScope`s: for every store that a `Server` is given.
    public static let purgeScopes = BanRules(
        matches: { PurgeScope.matches(encoded: $0, key: $1, head: $2) },
        coarser: { PurgeScope.coarser(encoded: $0) })
}

extension StoreThread {
    /// Takes what is within the scope, and every answer that was asked for before (`ban`).
    func ban(_ scope: PurgeScope, soft: Bool) {
        var encoded = ByteBuffer(capacity: PurgeScope.encodedLimit)
        if scope.encode(into: &encoded) == .all {
            banEverything(soft: soft)
        } else {
            ban(encoded.span, soft: soft)
        }
    }
}

/// Purges, by a row of its own in the store.
struct Purger: ~Copyable, Sendable {
    var store: StoreThread
    /// Of every route that caches: a URL has a key for each.
    let rules: [Rules]

    init(_ store: consuming StoreThread, _ settings: Settings) {
        self.store = store
        rules = settings.routes.compactMap { route in
            route.policy.map {
                Rules(policy: settings.policies[$0], upstream: settings.upstreams[route.upstream].name)
            }
        }
    }

    /// - Parameter soft: leave it, as outdated: to be revalidated, or served while that is done or fails,
    ///   where the origin allows it.
    /// - Returns: is there something to sweep?
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
        case .host: "\(text.debugDescription) is no host"
        case .key: "a key is not empty"
        default: "\(text.debugDescription) is no absolute http or https URL"
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
