/// Each switch of a policy alone: how it differs from the default policy, and where its limit is.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct SwitchTests {
    /// A policy that differs from the default in one setting or a few.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var policy: Policy
        var status = 200
        var target = "/"
        var request: [String] = []
        var headers: [String]
        /// The lifetime from receipt in seconds, or the reason of a refusal.
        var outcome: String
        var testDescription: String { name }

        init(
            _ name: String, _ change: (inout Policy) -> Void, status: Int = 200, target: String = "/",
            request: [String] = [], _ headers: [String], is outcome: String
        ) {
            self.name = name
            policy = Policy(name: "test").with {
                $0.store.maxAgeSeconds = 31_536_000
                change(&$0)
            }
            self.status = status
            self.target = target
            self.request = request
            self.headers = headers
            self.outcome = outcome
        }
    }

    static let fresh = "Cache-Control: max-age=60"
    static let date = "Date: Thu, 01 Jan 2026 00:00:00 GMT"
    static let dayOld = "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT"

    static func tenth(_ policy: inout Policy) { policy.store.heuristicPercent = 10 }
    static func tenthByRFC(_ policy: inout Policy) {
        policy.store.heuristicPercent = 10
        policy.store.reading = .rfc
    }

    static let heuristics: [Row] = [
        .init("off", { _ in }, [date, dayOld], is: "no-freshness"),
        .init("a tenth of a day", tenth, [date, dayOld], is: "8640"),
        .init("without Date: from receipt", tenth, [dayOld], is: "8640"),
        .init("all of it", { $0.store.heuristicPercent = 100 }, [dayOld], is: "86400"),
        .init(
            "Age has used some of it", tenth, [date, dayOld, "Age: 640"], is: "8000"),
        .init(
            "an old Date: the share ends there", tenth, ["Date: Wed, 31 Dec 2025 23:00:00 GMT", dayOld],
            is: "4680"),
        .init("a share shorter than the age", tenth, [date, dayOld, "Age: 8640"], is: "expired"),
        .init("below minAge", tenth, ["Last-Modified: Wed, 31 Dec 2025 23:59:51 GMT"], is: "expired"),
        .init("just minAge", tenth, ["Last-Modified: Wed, 31 Dec 2025 23:59:50 GMT"], is: "1"),
        .init(
            "modified in the future", tenth, ["Last-Modified: Fri, 02 Jan 2026 00:00:00 GMT"], is: "expired"),
        .init("no date", tenth, ["Last-Modified: yesterday"], is: "no-freshness"),
        .init("two dates", tenth, [dayOld, dayOld], is: "no-freshness"),
        .init("the year 1: capped", tenth, ["Last-Modified: Mon, 01 Jan 0001 00:00:00 GMT"], is: "31536000"),
        .init("max-age overrides the heuristic", tenth, [dayOld, fresh], is: "60"),
        .init("s-maxage=0 overrides the heuristic", tenth, [dayOld, "Cache-Control: s-maxage=0"], is: "expired"),
        .init("a malformed max-age too", tenth, [dayOld, "Cache-Control: max-age=x"], is: "no-freshness"),
        .init(
            "Expires overrides the heuristic", tenth, [date, dayOld, "Expires: Thu, 01 Jan 2026 00:00:09 GMT"], is: "9"),
        .init("a malformed Expires too", tenth, [dayOld, "Expires: -1"], is: "expired"),
        .init(
            "but not one that a targeted field replaces", tenth,
            [dayOld, "Expires: -1", "CDN-Cache-Control: public"], is: "8640"),
        .init("404 may be guessed at, for ten seconds", tenth, status: 404, [dayOld], is: "10"),
        .init(
            "302 may not (RFC 9110 §15.1)",
            {
                tenth(&$0)
                $0.store.statuses = [302]
            }, status: 302, [dayOld], is: "no-freshness"),
        .init(
            "unless it is public",
            {
                tenth(&$0)
                $0.store.statuses = [302]
            }, status: 302, [dayOld, "Cache-Control: public"], is: "8640"),
        .init("a query", tenth, target: "/?a=1", [dayOld], is: "no-freshness"),
        .init("an empty one", tenth, target: "/?", [dayOld], is: "no-freshness"),
        .init("a query with a stated lifetime", tenth, target: "/?a=1", [dayOld, fresh], is: "60"),
        .init("a query, as the RFC reads it", tenthByRFC, target: "/?a=1", [dayOld], is: "8640"),
        .init(
            "a query that the origin does not see",
            {
                tenth(&$0)
                $0.query = .ignore
            }, target: "/?a=1", [dayOld], is: "8640"),
        .init(
            "a cookie still needs public", tenth, request: ["Cookie: a=1"], [dayOld], is: "cookie"),
    ]

    static let ages: [Row] = [
        .init("maxAge caps", { $0.store.maxAgeSeconds = 30 }, [fresh], is: "30"),
        .init("maxAge does not stretch", { $0.store.maxAgeSeconds = 90 }, [fresh], is: "60"),
        .init("maxAge counts from receipt", { $0.store.maxAgeSeconds = 30 }, [fresh, "Age: 20"], is: "30"),
        .init(
            "the remaining lifetime counts for minAge", { $0.store.minAgeSeconds = 20 }, [fresh, "Age: 41"],
            is: "expired"),
        .init("just minAge", { $0.store.minAgeSeconds = 20 }, [fresh, "Age: 40"], is: "20"),
        .init(
            "minAge above ten seconds keeps errors out", { $0.store.minAgeSeconds = 11 }, status: 404,
            [fresh],
            is: "expired"),
        .init(
            "an endless lifetime saturates", { _ in }, ["Cache-Control: max-age=99999999999"], is: "31536000"),
    ]

    static let statuses: [Row] = [
        .init("not listed", { $0.store.statuses = [200] }, status: 301, [fresh], is: "status"),
        .init("listed", { $0.store.statuses = [301] }, status: 301, [fresh], is: "60"),
        .init("200 is no exception", { $0.store.statuses = [301] }, [fresh], is: "status"),
        .init("an empty list", { $0.store.statuses = [] }, [fresh], is: "status"),
        .init("any: 299", { $0.store.statuses = .any }, status: 299, [fresh], is: "60"),
        .init("any: 503, for ten seconds", { $0.store.statuses = .any }, status: 503, [fresh], is: "10"),
        .init("any, without a lifetime", { $0.store.statuses = .any }, status: 299, [], is: "no-freshness"),
        .init("any, but 429", { $0.store.statuses = .any }, status: 429, [fresh], is: "status"),
        .init("any, but 206", { $0.store.statuses = .any }, status: 206, [fresh], is: "status"),
        .init(
            "even if 206 got into a list", { $0.store.statuses = [206] }, status: 206, [fresh], is: "status"),
    ]

    static func anyVary(_ policy: inout Policy) { policy.store.vary = .any }

    static let vary: [Row] = [
        .init("not listed", { _ in }, [fresh, "Vary: X-Kind"], is: "vary"),
        .init("listed", { $0.store.vary = .list(["x-kind"]) }, [fresh, "Vary: X-KIND"], is: "60"),
        .init("any", anyVary, [fresh, "Vary: X-Kind, User-Agent", "Vary: Cookie"], is: "60"),
        .init("any, but *", anyVary, [fresh, "Vary: X-Kind", "Vary: *"], is: "vary"),
        .init("any, but no token", anyVary, [fresh, "Vary: \"x\""], is: "vary"),
        .init("Host is keyed", anyVary, [fresh, "Vary: Host"], is: "60"),
        .init("the scheme is keyed", anyVary, [fresh, "Vary: X-Forwarded-Proto"], is: "60"),
        .init("the client's address is written here", anyVary, [fresh, "Vary: X-Forwarded-For"], is: "vary"),
        .init("so is Forwarded", anyVary, [fresh, "Vary: Accept, forwarded"], is: "vary"),
        .init("and X-Forwarded-Host", anyVary, [fresh, "Vary: x-forwarded-host"], is: "vary"),
        .init("and Via", anyVary, [fresh, "Vary: Via"], is: "vary"),
        .init("Range is not sent", anyVary, [fresh, "Vary: Range"], is: "vary"),
        .init("nor is X-Original-URL", anyVary, [fresh, "Vary: X-Original-URL"], is: "vary"),
        .init(
            "a list does not help", { $0.store.vary = .list(["x-forwarded-for"]) },
            [fresh, "Vary: X-Forwarded-For"], is: "vary"),
    ]

    static func rfc(_ policy: inout Policy) { policy.store.reading = .rfc }

    static let reading: [Row] = [
        .init("two lifetimes", { _ in }, ["Cache-Control: max-age=60, max-age=9"], is: "no-freshness"),
        .init("the same twice is one", { _ in }, ["Cache-Control: max-age=60, max-age=60"], is: "60"),
        .init("rfc: the first", rfc, ["Cache-Control: max-age=60, max-age=9"], is: "60"),
        .init("rfc: the first s-maxage", rfc, ["Cache-Control: s-maxage=8, s-maxage=9"], is: "8"),
        .init(
            "targeted: two lifetimes", { _ in }, ["CDN-Cache-Control: max-age=60, max-age=9"],
            is: "no-freshness"),
        .init("targeted, rfc: the last", rfc, ["CDN-Cache-Control: max-age=60, max-age=9"], is: "9"),
        .init(
            "targeted, rfc: the last one is malformed", rfc, ["CDN-Cache-Control: max-age=60, max-age=x"],
            is: "no-freshness"),
        .init(
            "targeted, rfc: public taken back", rfc, request: ["Cookie: a=1"],
            ["CDN-Cache-Control: max-age=60, public, public=?0"], is: "cookie"),
        .init(
            "targeted, rfc: no-store stays", rfc, ["CDN-Cache-Control: max-age=60, no-store, no-store=?0"],
            is: "no-store"),
        .init("a malformed member", { _ in }, ["Cache-Control: max-age=60, =a"], is: "no-freshness"),
        .init("rfc: skipped", rfc, ["Cache-Control: max-age=60, =a"], is: "60"),
        .init("a malformed Age", { _ in }, [fresh, "Age: 1.5"], is: "age"),
        .init("rfc: no Age", rfc, [fresh, "Age: 1.5"], is: "60"),
        .init("two Ages", { _ in }, [fresh, "Age: 1", "Age: 20"], is: "age"),
        .init("rfc: the first", rfc, [fresh, "Age: 1", "Age: 20"], is: "59"),
        .init("Content-Range", { _ in }, [fresh, "Content-Range: bytes 0-1/2"], is: "range"),
        .init("rfc: means nothing here", rfc, [fresh, "Content-Range: bytes 0-1/2"], is: "60"),
        .init("Pragma", { _ in }, [fresh, "Pragma: no-cache"], is: "no-cache"),
        .init("rfc: means nothing here", rfc, [fresh, "Pragma: no-cache"], is: "60"),
        .init("a malformed Expires is past under both", rfc, ["Expires: 0"], is: "expired"),
        .init("two of Expires too", rfc, ["Expires: \(later)", "Expires: \(later)"], is: "expired"),
        .init("a malformed Date is refused under both", rfc, [fresh, "Date: 0"], is: "date"),
    ]
    static let later = "Thu, 01 Jan 2026 01:00:00 GMT"

    static let etag = "ETag: \"x\""
    static let modified = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"
    static func revalidate(_ policy: inout Policy) { policy.store.noCache = .revalidate }
    static func explicit(_ policy: inout Policy) { policy.store.authorization = .explicit }

    static let people: [Row] = [
        .init(
            "never: passes", { _ in }, request: ["Authorization: a"], [fresh, "Cache-Control: public"],
            is: "authorization"),
        .init(
            "explicit: public", explicit, request: ["Authorization: a"], [fresh, "Cache-Control: public"],
            is: "60"),
        .init(
            "explicit: s-maxage", explicit, request: ["Authorization: a"], ["Cache-Control: s-maxage=9"],
            is: "9"),
        .init(
            "explicit: an invalid s-maxage permits nothing", explicit, request: ["Authorization: a"],
            ["Cache-Control: s-maxage=x, max-age=60"], is: "authorization"),
        .init("explicit: not said", explicit, request: ["Authorization: a"], [fresh], is: "authorization"),
        .init("public-only: not said", { _ in }, request: ["Cookie: a"], [fresh], is: "cookie"),
        .init(
            "public-only: said", { _ in }, request: ["Cookie: a"], [fresh, "Cache-Control: public"], is: "60"),
        .init("strip", { $0.store.cookies = .strip }, request: ["Cookie: a"], [fresh], is: "60"),
        .init(
            "never", { $0.store.cookies = .never }, request: ["Cookie: a"], [fresh, "Cache-Control: public"],
            is: "cookie"),
        .init("never, without one", { $0.store.cookies = .never }, [fresh], is: "60"),
        .init(
            "strip, Set-Cookie", { $0.store.cookies = .strip }, [fresh, "Set-Cookie: a"], is: "set-cookie"),
        .init("no-cache", { _ in }, [fresh, "Cache-Control: no-cache", etag], is: "no-cache"),
        .init("revalidate: kept", revalidate, [fresh, "Cache-Control: no-cache", etag], is: "60"),
        .init("revalidate: by date", revalidate, ["Cache-Control: no-cache", modified], is: "0"),
        .init(
            "revalidate: nothing to ask with", revalidate, [fresh, "Cache-Control: no-cache"], is: "no-cache"),
        .init(
            "revalidate: a malformed ETag", revalidate, ["Cache-Control: no-cache", "ETag: x"],
            is: "no-cache"),
        .init("revalidate: Pragma", revalidate, [fresh, "Pragma: no-cache", etag], is: "60"),
        .init("stale from the start", { _ in }, ["Cache-Control: max-age=0", etag], is: "expired"),
        .init("revalidate: kept", revalidate, ["Cache-Control: max-age=0", etag], is: "0"),
        .init("revalidate: past", revalidate, ["Expires: 0", etag], is: "0"),
        .init("revalidate: nothing said", revalidate, [etag], is: "0"),
        .init("revalidate: nothing said of a 201", revalidate, status: 201, [etag], is: "status"),
        .init(
            "revalidate: an unreadable directive", revalidate, ["Cache-Control: max-age=1;no-store", etag],
            is: "no-freshness"),
        .init("revalidate: 404", revalidate, status: 404, ["Cache-Control: max-age=0", etag], is: "expired"),
        .init("maxBody", { $0.store.maxBodyBytes = 4 }, [fresh], is: "too-large"),
        .init("just maxBody", { $0.store.maxBodyBytes = 5 }, [fresh], is: "60"),
    ]

    @Test(arguments: heuristics + ages + statuses + vary + reading + people)
    func eachSwitchHasItsEffect(row: Row) {
        let rules = Rules(policy: row.policy, upstream: "origin")
        let request = RequestSample("GET", row.target, row.request)
        let response = ResponseSample(row.status, ["Content-Length: 5"] + row.headers)
        let verdict = rules.judge(
            response.head, response.buffer.span, to: rules.judge(request.head, request.buffer.span),
            sent: Decision.now, received: Decision.now)
        switch verdict {
        case .store(let facts): #expect("\(facts.freshForMilliseconds / 1000)" == row.outcome)
        case .refuse(let reason): #expect(String(describing: reason.code) == row.outcome)
        }
    }

    @Test func maxHeadLimitsStoredHeads() {
        let policy = Policy(name: "test").with { $0.store.maxHeadBytes = 300 }
        let limit = Rules(policy: policy, upstream: "origin").maxHeadBytes
        #expect(limit == 300)
        let long = ResponseSample(200, [Self.fresh, "X: " + String(repeating: "a", count: 300)])
        #expect(long.stored(limit: limit) == "head-too-large")
        #expect(ResponseSample(200, [Self.fresh]).stored(limit: limit).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    /// Stored heads keep the fields by which the tier in front of the origin is purged, and its Age.
    @Test func surrogateKeysAreStored() {
        let stored = ResponseSample(
            200,
            [Self.fresh, "xkey: a b", "Surrogate-Key: a b", "Cache-Tag: a", "Surrogate-Control: max-age=9"]
        ).stored()
        for line in ["xkey: a b", "Surrogate-Key: a b", "Cache-Tag: a"] {
            #expect(stored.contains("\r\n\(line)\r\n"), "\(line)")
        }
    }

    @Test(arguments: ["no-cache", "max-age=0", "min-fresh=3600", "max-age=x"])
    func clientRefreshIsASwitch(directive: String) {
        for (setting, expected) in [
            (Policy.ClientRefresh.revalidate, UseVerdict.refresh(.clientRefresh, StaleUse(ageSeconds: 5))),
            (.ignore, .fresh(ageSeconds: 5, ttlSeconds: 55)),
        ] {
            let policy = Policy(name: "test").with { $0.serve.clientRefresh = setting }
            let rules = Rules(policy: policy, upstream: "origin")
            let request = RequestSample("GET", "/", ["Cache-Control: \(directive)"])
            let verdict = rules.use(
                UseTests.facts(), for: rules.judge(request.head, request.buffer.span),
                now: UseTests.later(5000))
            #expect(verdict == expected, "\(setting)")
        }
    }
}
