/// The caching rules' verdict on a request's head. It is made once and used by lookup, fetch and storing.

public import HTTP

public struct RequestVerdict: Sendable, BitwiseCopyable {
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt16

        @inlinable
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// A Cookie line that reaches the origin (not under `cookies: strip`).
        @inlinable public static var cookie: Flags { Flags(rawValue: 1) }
        /// An Authorization line.
        @inlinable public static var authorization: Flags { Flags(rawValue: 2) }
        /// If-None-Match or If-Modified-Since.
        @inlinable public static var conditional: Flags { Flags(rawValue: 4) }
        /// Range, on a GET. The store may answer, but the origin's answer is not stored, and the request is
        /// forwarded unchanged. `reason` is `.range`.
        @inlinable public static var range: Flags { Flags(rawValue: 8) }
        /// `no-cache`, or `Pragma: no-cache` without Cache-Control.
        @inlinable public static var noCache: Flags { Flags(rawValue: 16) }
        @inlinable public static var noStore: Flags { Flags(rawValue: 32) }
        /// If the store has no answer, the client gets 504.
        @inlinable public static var onlyIfCached: Flags { Flags(rawValue: 64) }
        /// A query that reaches the origin. Set only under a policy with heuristics.
        @inlinable public static var query: Flags { Flags(rawValue: 128) }
        /// The target names a compressed file (`noteFile`).
        @inlinable public static var archive: Flags { Flags(rawValue: 256) }
    }

    public var method: Method
    /// May the store answer? If not, the request bypasses the store for `reason`.
    public var mayLookup: Bool
    /// May the answer be stored, as far as the request decides it? If not, `reason` says why.
    public var mayStore: Bool
    public var reason: Reason?
    public var codings: Codings
    public var flags: Flags
    /// `max-age` of the request in seconds; `unlimited` without the directive.
    public var maxAgeSeconds: UInt32
    /// `min-fresh` in seconds; 0 without the directive.
    public var minFreshSeconds: UInt32
    /// `max-stale` in seconds, `unlimited` without a value; 0 without the directive.
    public var maxStaleSeconds: UInt32

    @inlinable public static var unlimited: UInt32 { .max }

    @inlinable
    init(method: Method) {
        self.method = method
        mayLookup = true
        mayStore = method == .get
        reason = method == .get ? nil : .method
        codings = .identity
        flags = []
        maxAgeSeconds = Self.unlimited
        minFreshSeconds = 0
        maxStaleSeconds = 0
    }

    /// Permits neither lookup nor storing. There is no reason if the route has no policy.
    public mutating func bypass(_ why: Reason?) {
        mayLookup = false
        mayStore = false
        reason = why
    }

    /// May a fetch for this request renew an entry? True for GET and HEAD (RFC 9111 §4.3.4, §4.3.5), but not
    /// for a request for a part.
    @inlinable public var mayRevalidate: Bool {
        @inline(__always) get { mayStore || method == .head && mayLookup && reason == .method }
    }

    /// The verdict on the full GET that Larder may send instead of this request, to renew or replace an
    /// entry. HEAD and range requests differ from it: their own answers are not stored.
    public var storing: RequestVerdict {
        var verdict = self
        guard mayLookup, reason == .method || reason == .range else { return verdict }
        verdict.method = .get
        verdict.mayStore = true
        verdict.reason = nil
        verdict.flags.remove(.range)
        return verdict
    }

    /// Does the request restrict the age of the answer?
    @inlinable public var restrictsAge: Bool {
        flags.contains(.noCache) || maxAgeSeconds != Self.unlimited || minFreshSeconds != 0
    }

    /// Is this a GET for the whole, without anything that requires a second look at a fresh entry? Then only
    /// `codings` matters.
    @inlinable public var isPlain: Bool {
        @inline(__always) get {
            method == .get && mayLookup && mayStore && flags.isSubset(of: .query) && !restrictsAge
        }
    }
}
