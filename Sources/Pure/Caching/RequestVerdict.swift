/// What a request's head says to the cache: judged once, then carried through lookup, fetch and storing.

public import HTTP

public struct RequestVerdict: Sendable, BitwiseCopyable {
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt16

        @inlinable
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// A Cookie line that reaches the origin (so not under `cookies: strip`).
        @inlinable public static var cookie: Flags { Flags(rawValue: 1) }
        /// An Authorization line.
        @inlinable public static var authorization: Flags { Flags(rawValue: 2) }
        /// If-None-Match or If-Modified-Since.
        @inlinable public static var conditional: Flags { Flags(rawValue: 4) }
        /// Range, on a GET: the store may answer, but what the origin answers is not stored, and the request
        /// goes to it as it came. `reason` is `.range` then.
        @inlinable public static var range: Flags { Flags(rawValue: 8) }
        /// `no-cache`, or `Pragma: no-cache` without Cache-Control.
        @inlinable public static var noCache: Flags { Flags(rawValue: 16) }
        @inlinable public static var noStore: Flags { Flags(rawValue: 32) }
        /// The answer is 504 unless the store has it.
        @inlinable public static var onlyIfCached: Flags { Flags(rawValue: 64) }
        /// A query that reaches the origin; noted only under a policy with heuristics.
        @inlinable public static var query: Flags { Flags(rawValue: 128) }
        /// The target names a compressed file (`noteFile`).
        @inlinable public static var archive: Flags { Flags(rawValue: 256) }
    }

    public var method: Method
    /// May the store answer? If not, this is a bypass for `reason`.
    public var mayLookup: Bool
    /// May the answer be stored, as far as the request says? If not: `reason`.
    public var mayStore: Bool
    public var reason: Reason?
    public var codings: Codings
    public var flags: Flags
    /// `max-age` of the request in seconds; `unlimited` without one.
    public var maxAgeSeconds: UInt32
    /// `min-fresh` in seconds; 0 without one.
    public var minFreshSeconds: UInt32
    /// `max-stale` in seconds (`unlimited` without a value); 0 without one.
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

    /// Neither lookup nor storing; without a reason where the route has no policy.
    public mutating func bypass(_ why: Reason?) {
        mayLookup = false
        mayStore = false
        reason = why
    }

    /// May a fetch for this request renew an entry? GET and HEAD alike (RFC 9111 §4.3.4, §4.3.5), but not
    /// what asks for a part.
    @inlinable public var mayRevalidate: Bool {
        @inline(__always) get { mayStore || method == .head && mayLookup && reason == .method }
    }

    /// The verdict on the whole GET that the store may make on this request's behalf, to renew or replace
    /// what it has: one for HEAD, or for a range, is that of a request whose own answer is not stored.
    public var storing: RequestVerdict {
        var verdict = self
        guard mayLookup, reason == .method || reason == .range else { return verdict }
        verdict.method = .get
        verdict.mayStore = true
        verdict.reason = nil
        verdict.flags.remove(.range)
        return verdict
    }

    /// Does the request set any condition on the age of what answers it?
    @inlinable public var restrictsAge: Bool {
        flags.contains(.noCache) || maxAgeSeconds != Self.unlimited || minFreshSeconds != 0
    }

    /// A GET for the whole, without anything that would have a fresh entry looked at twice: of what `Rules`
    /// found only the codings matter.
    @inlinable public var isPlain: Bool {
        @inline(__always) get {
            method == .get && mayLookup && mayStore && flags.isSubset(of: .query) && !restrictsAge
        }
    }
}
