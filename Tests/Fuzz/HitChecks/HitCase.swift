/// What the store holds under one key, and one request for it.
public import Caching
public import Settings

public struct HitCase: Sendable {
    public struct Record: Sendable {
        public var status: UInt16 = 200
        public var coding = Codings.identity
        /// Made of the original before it, whose status, head, Vary values and serial it has.
        public var isDerived = false
        public var flags = EntryFacts.Flags(rawValue: 0)
        /// Field lines of the stored head.
        public var lines: [String] = []
        /// The value of Vary, and the field lines of the request that the record answered.
        public var vary = ""
        public var asked: [String] = []
        public var bodyCount = 5
        /// Measured from the largest body that is gathered behind the head.
        public var isCountedFromLimit = false
        public var initialAgeMilliseconds: UInt64 = 0
        public var residenceMilliseconds: UInt64 = 0
        /// Milliseconds of freshness that are left; negative: the entry is stale.
        public var leftMilliseconds: Int64 = 60_000
        public var staleWhileRevalidateSeconds: UInt32 = 0
        public var staleIfErrorSeconds: UInt32 = 0
        /// Judged by other rules.
        public var isForeign = false
        /// Codings that are claimed on the record.
        public var claims: UInt8 = 0

        public init() {}
    }

    /// What happens to the records that are stored already, before record number `at`.
    public struct Purge: Sendable {
        public enum Kind: Sendable, CaseIterable { case soft, banOfOthers, softBan }
        public var at: Int
        public var kind: Kind
    }

    /// Which of the check's policies.
    public var policy = 0
    public var cacheStatus = Policy.CacheStatus.full
    public var records = [Record()]
    public var purges: [Purge] = []
    public var method = "GET"
    public var minorVersion = 1
    public var query = ""
    /// The request's field lines after Host.
    public var lines: [String] = []
    /// Bytes that stand where the next field line would.
    public var rawLines: [UInt8] = []
    /// The worker ends the connection behind the answer, whatever the client wants.
    public var isClosing = false

    public init() {}

    var requestBytes: [UInt8] {
        var text = "\(method) /case\(query) HTTP/1.\(minorVersion)\r\nHost: example.com\r\n"
        for line in lines { text += line + "\r\n" }
        return Array(text.utf8) + rawLines + Array("\r\n".utf8)
    }
}

// MARK: - What is chosen from

extension HitCase {
    public static let acceptEncodings: [String?] = [
        "gzip, br", nil, "gzip", "br", "", "identity", "identity;q=0", "*", "*;q=0", "gzip, br, zstd",
        "gzip, identity;q=0", "gzip;q=0", "br;q=0.5, gzip;q=0", "x-gzip", "deflate", "*, gzip;q=0",
        "identity;q=0, *", "zstd",
    ]
    static let ranges = [
        "bytes=0-", "bytes=0-2", "bytes=-3", "bytes=2-1", "bytes=99999-", "bytes=0-1,3-4", "items=0-1",
    ]
    static let conditions = [
        "If-None-Match: *", "If-None-Match: \"v1\"", "If-None-Match: W/\"v1\"", "If-None-Match: \"v2\"",
        "If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT",
        "If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT", "If-Modified-Since: then",
        "If-Range: \"v1\"", "If-Range: Wed, 01 Jan 2020 00:00:00 GMT",
    ]
    static let directives = [
        "no-cache", "no-store", "max-age=0", "max-age=5", "min-fresh=5", "max-stale", "max-stale=5",
        "only-if-cached", "no-transform", "max-age=0, max-stale", "max-age=junk",
    ]
    static let others = [
        "Cookie: a=b", "Authorization: Basic YTpi", "Pragma: no-cache", "Connection: close",
        "Connection: keep-alive", "Accept-Language: de", "Accept-Language: de, en", "Accept-Language: DE",
        "Origin: https://a.example", "Accept: text/html", "Accept-Encoding: br",
    ]
    static let storedLines = [
        "ETag: \"v1\"", "ETag: W/\"v1\"", "ETag: v1", "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT",
        "Vary: Accept-Encoding", "Content-Type: text/html", "Cache-Status: origin; hit",
        "Cache-Control: max-age=60", "Content-Range: bytes 0-1/2", "Digest: x",
    ]
    public static let residences: [UInt64] = [0, 1, 500, 999, 1_000, 1_001, 59_000, 600_000, 1_000_000_000]
    public static let left: [Int64] = [
        60_000, 1, 999, 1_000, 1_001, 500, 0, -1, -999, -1_000, -1_001, -60_000, 100_000_000_000,
    ]
    static let initialAges: [UInt64] = [0, 1, 999, 1_000, 5_000, 1 << 40]
    public static let codings: [Codings] = [.identity, .gzip, .br, .zstd]
}

// MARK: - Chosen by bytes

extension HitCase {
    public init(_ choices: inout Choices, policies: Int) {
        policy = choices.below(policies)
        cacheStatus = choices.one(of: Policy.CacheStatus.allCases)
        records = (0..<choices.one(of: [1, 1, 1, 2, 2, 3, 4, 0])).map { _ in Record(&choices) }
        if !records.isEmpty { records[0].isDerived = false }
        for _ in 0..<choices.one(of: [0, 0, 0, 1, 2]) {
            purges.append(
                Purge(at: choices.below(records.count + 1), kind: choices.one(of: Purge.Kind.allCases)))
        }
        method = choices.one(of: ["GET", "GET", "GET", "GET", "GET", "HEAD", "POST"])
        minorVersion = choices.once(in: 8) ? 0 : 1
        query = choices.one(of: ["", "", "?", "?a=1", "?b=2&a=1"])
        if let value = choices.one(of: Self.acceptEncodings) { lines.append("Accept-Encoding: \(value)") }
        // Half of the requests are plain, or nearly so.
        if choices.once(in: 2) {
            if choices.once(in: 3) { lines.append("Cache-Control: " + choices.one(of: Self.directives)) }
            if choices.once(in: 3) { lines.append("Range: " + choices.one(of: Self.ranges)) }
            for _ in 0..<choices.below(3) { lines.append(choices.one(of: Self.conditions)) }
        }
        for _ in 0..<choices.one(of: [0, 0, 1, 2]) { lines.append(choices.one(of: Self.others)) }
        isClosing = choices.once(in: 8)
        if choices.once(in: 8) { rawLines = choices.rest() }
    }
}

extension HitCase.Record {
    init(_ choices: inout Choices) {
        status = choices.one(of: [200, 200, 200, 200, 301, 404, 204, 503, 599])
        coding = choices.one(of: HitCase.codings)
        isDerived = choices.once(in: 3)
        // Mostly few flags: with many of them nothing answers.
        flags = EntryFacts.Flags(
            rawValue: choices.word() & choices.word() & choices.one(of: [0, 0x1c40, 0x1c40, 0x0158, 0xffff]))
        for _ in 0..<choices.below(4) { lines.append(choices.one(of: HitCase.storedLines)) }
        vary = choices.one(of: ["", "", "", "Accept-Language", "Accept-Language, Origin", "Cookie"])
        for _ in 0..<choices.below(3) { asked.append(choices.one(of: HitCase.others)) }
        bodyCount = choices.one(of: [5, 0, 1, 600, 3_000, 4_000, 20_000])
        if choices.once(in: 4) {
            isCountedFromLimit = true
            bodyCount = choices.below(200) - 160
        }
        initialAgeMilliseconds = choices.one(of: HitCase.initialAges)
        residenceMilliseconds = choices.one(of: HitCase.residences)
        leftMilliseconds = choices.once(in: 2) ? choices.one(of: HitCase.left) : 60_000
        staleWhileRevalidateSeconds = choices.one(of: [0, 0, 1, 60])
        staleIfErrorSeconds = choices.one(of: [0, 0, 1, 60])
        isForeign = choices.once(in: 16)
        claims = choices.once(in: 4) ? UInt8(choices.below(16)) : 0
    }
}
