/// A cache policy, as the files in `cache-policies/` define it. All values are effective: `extends:` is
/// resolved, and defaults are filled in.
public struct Policy: Sendable, Equatable {
    public enum NoCache: String, Sendable, CaseIterable { case refuse, revalidate }
    public enum Reading: String, Sendable, CaseIterable { case strict, rfc }
    public enum Cookies: String, Sendable, CaseIterable { case publicOnly = "public-only", strip, never }
    public enum Authorization: String, Sendable, CaseIterable { case never, explicit }
    public enum Vary: Sendable, Equatable { case any, list([String]) }
    /// `any`: all statuses that a policy may store.
    public enum Statuses: Sendable, Equatable { case any, list([Int]) }
    public enum Query: Sendable, Equatable { case keep, sort, ignore, only([String]) }
    public enum ClientRefresh: String, Sendable, CaseIterable { case revalidate, ignore }
    /// `rfc`: if the origin permits it, or the client's `max-stale`.
    public enum Stale: String, Sendable, CaseIterable { case never, originDirected = "origin-directed", rfc }
    public enum CacheStatus: String, Sendable, CaseIterable { case full, brief, none, debug }

    public struct Store: Sendable, Equatable {
        public var statuses: Statuses = [200, 301, 308, 404, 410]
        public var maxBodyBytes = 64 * 1024
        public var maxHeadBytes = 4 * 1024
        public var maxAgeSeconds = 600
        public var minAgeSeconds = 1
        /// The share of Date − Last-Modified, in percent.
        public var heuristicPercent = 0
        public var noCache = NoCache.refuse
        public var reading = Reading.strict
        public var cookies = Cookies.publicOnly
        public var authorization = Authorization.never
        public var vary = Vary.list(["accept-encoding"])
        public init() {}
    }

    public struct Serve: Sendable, Equatable {
        public var clientRefresh = ClientRefresh.revalidate
        public var stale = Stale.originDirected
        public var cacheStatus = CacheStatus.full
        public init() {}
    }

    /// Which answers are compressed.
    public struct Compress: Sendable, Equatable {
        public enum Coding: String, Sendable, CaseIterable { case br, gzip, zstd }
        /// `none`: bodies keep their coding. `shareable`: answers that are stored or clearly meant for all
        /// clients.
        public enum Answers: String, Sendable, CaseIterable { case none, shareable, all }
        public var answers = Answers.shareable
        /// Media types in lower case; `text/*` for all subtypes.
        public var types = ["text/*", "application/javascript", "application/json", "image/svg+xml"]
        public var minBodyBytes = 512
        /// In order of preference.
        public var codings: [Coding] = [.br, .gzip]
        public init() {}
    }

    public var name: String
    public var description = ""
    public var store = Store()
    public var query = Query.keep
    public var serve = Serve()
    public var compress = Compress()

    public init(name: String) { self.name = name }
}

extension Policy.Statuses {
    /// Is it forbidden for every policy to store answers with this status? Such answers depend on the request
    /// rather than on the resource, or have rules of their own. The key does not contain the parts of the
    /// request that they depend on, so storing them would be cache poisoning.
    public static func isForbidden(_ status: Int) -> Bool {
        switch status {
        case 100..<200, 206, 304, 400, 401, 406...408, 411...417, 421, 425, 426, 428, 429, 431, 511: true
        default: status < 100 || status > 599
        }
    }
}

extension Policy.Statuses: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Int...) { self = .list(elements) }
}
