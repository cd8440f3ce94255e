/// Serving stored responses: freshness over time, the clocks, Vary, and which request fields reach the
/// origin.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct UseTests {
    static let rules = Rules(policy: Policy(name: "test"), upstream: "origin")

    static func facts(
        initialAge: UInt64 = 0, freshFor: UInt64 = 60_000, flags: EntryFacts.Flags = []
    ) -> EntryFacts {
        EntryFacts(
            received: Decision.now, initialAgeMilliseconds: initialAge, freshForMilliseconds: freshFor,
            status: 200,
            coding: .identity, flags: flags, fingerprint: rules.fingerprint)
    }

    static func later(_ wall: Int64, boot: Int64? = nil) -> Times {
        Times(
            wallMilliseconds: UInt64(Int64(Decision.now.wallMilliseconds) + wall),
            bootMilliseconds: UInt64(Int64(Decision.now.bootMilliseconds) + (boot ?? wall)))
    }

    // An Age is rounded up, and a time to live is rounded down.
    @Test(
        arguments: [
            (0, 0, UseVerdict.fresh(ageSeconds: 0, ttlSeconds: 60)),
            (1, 0, .fresh(ageSeconds: 1, ttlSeconds: 59)),
            (1000, 0, .fresh(ageSeconds: 1, ttlSeconds: 59)),
            (1001, 5000, .fresh(ageSeconds: 7, ttlSeconds: 58)),
            (59_999, 0, .fresh(ageSeconds: 60, ttlSeconds: 0)), (60_000, 0, .stale(StaleUse(ageSeconds: 60))),
            (1 << 52, 0, .stale(StaleUse(ageSeconds: .max, staleSeconds: .max))),
        ] as [(Int64, UInt64, UseVerdict)])
    func anEntryAgesOverTime(elapsed: Int64, initialAge: UInt64, expected: UseVerdict) {
        let verdict = Self.rules.use(
            Self.facts(initialAge: initialAge), for: RequestSample().verdict(), now: Self.later(elapsed))
        #expect(verdict == expected)
    }

    @Test func theLargerClockCounts() {
        let request = RequestSample().verdict()
        // The wall clock was set back, the machine slept, the wall clock jumped ahead.
        #expect(
            Self.rules.use(Self.facts(), for: request, now: Self.later(-3_600_000, boot: 60_000))
                == .stale(StaleUse(ageSeconds: 60)))
        #expect(
            Self.rules.use(Self.facts(), for: request, now: Self.later(-5000, boot: 4000))
                == .fresh(ageSeconds: 4, ttlSeconds: 56))
        #expect(
            Self.rules.use(Self.facts(), for: request, now: Self.later(61_000, boot: 10))
                == .stale(StaleUse(ageSeconds: 61, staleSeconds: 1)))
        #expect(
            Self.rules.use(Self.facts(), for: request, now: Self.later(-5000))
                == .fresh(ageSeconds: 0, ttlSeconds: 60))
    }

    @Test func entriesOfChangedRulesAreNotServed() {
        var facts = Self.facts()
        facts.fingerprint &+= 1
        #expect(
            Self.rules.use(facts, for: RequestSample().verdict(), now: Self.later(1000))
                == .stale(StaleUse(ageSeconds: 1)))
        let plain = Policy(name: "test")
        let same = Rules(policy: plain.with { $0.serve.cacheStatus = .none }, upstream: "other")
        #expect(same.fingerprint == Self.rules.fingerprint)
        for change: (inout Policy) -> Void in [
            { $0.store.statuses = [200] }, { $0.store.maxBodyBytes = 1 }, { $0.store.maxHeadBytes = 1 },
            { $0.store.maxAgeSeconds = 1 }, { $0.store.minAgeSeconds = 2 }, { $0.store.heuristicPercent = 1 },
            { $0.store.noCache = .revalidate }, { $0.store.reading = .rfc }, { $0.store.cookies = .strip },
            { $0.store.authorization = .explicit }, { $0.store.vary = .any },
            { $0.store.vary = .list(["x"]) },
        ] {
            #expect(
                Rules(policy: plain.with(change), upstream: "origin").fingerprint != Self.rules.fingerprint)
        }
    }

    @Test func aResponseToCredentialsNeedsPermission() {
        let cookie = RequestSample("GET", "/", ["Cookie: a=1"]).verdict()
        #expect(Self.rules.use(Self.facts(), for: cookie, now: Decision.now) == .refused(.cookie))
        #expect(
            Self.rules.use(Self.facts(flags: .answersCookies), for: cookie, now: Decision.now)
                == .fresh(ageSeconds: 0, ttlSeconds: 60))
        let authorized = RequestSample("GET", "/", ["Authorization: x"]).verdict(.liberal)
        #expect(Self.rules.use(Self.facts(), for: authorized, now: Decision.now) == .refused(.authorization))
        #expect(
            Self.rules.use(Self.facts(flags: .answersAuthorized), for: authorized, now: Decision.now)
                == .fresh(ageSeconds: 0, ttlSeconds: 60))
    }

    @Test func clientRefreshCountsToTheMillisecond() {
        let request = RequestSample("GET", "/", ["Cache-Control: max-age=5"]).verdict()
        #expect(
            Self.rules.use(Self.facts(), for: request, now: Self.later(5000))
                == .fresh(ageSeconds: 5, ttlSeconds: 55))
        #expect(
            Self.rules.use(Self.facts(), for: request, now: Self.later(5001))
                == .refresh(.clientRefresh, StaleUse(ageSeconds: 6)))
        // Less than a second after the fetch, no client can cause another, whatever the age was then.
        #expect(
            Self.rules.use(Self.facts(initialAge: 9000), for: request, now: Self.later(999))
                == .fresh(ageSeconds: 10, ttlSeconds: 59))
        #expect(
            Self.rules.use(Self.facts(initialAge: 9000), for: request, now: Self.later(1000))
                == .refresh(.clientRefresh, StaleUse(ageSeconds: 10)))
    }

    /// Any five words are some facts, and no use of them traps.
    @Test func arbitraryWordsDoNotTrap() {
        for pattern in [0, UInt64.max, 0xffff_ffff_ffff, 1 << 63, 0x5555_5555_5555_5555] {
            let facts = EntryFacts(unpacking: [pattern, pattern, pattern, pattern, pattern])
            for now in [
                Times(wallMilliseconds: 0, bootMilliseconds: 0),
                Times(wallMilliseconds: .max, bootMilliseconds: .max),
            ] {
                _ = Self.rules.use(facts, for: RequestSample().verdict(), now: now)
            }
        }
    }
}

@Suite struct VarianceTests {
    static func blob(_ vary: [String], _ request: [String], _ policy: Policy = .liberal) -> [UInt8]? {
        let response = ResponseSample(200, vary.map { "Vary: \($0)" })
        let request = RequestSample("GET", "/", request)
        var blob = ByteBuffer(capacity: 64)
        let refusal = Rules(policy: policy, upstream: "origin").writeVary(
            response.head, response.buffer.span, request: request.head.fields, request.buffer.span,
            into: &blob)
        return refusal == nil ? blob.span.copied : nil
    }

    static func matches(_ blob: [UInt8], _ request: [String]) -> Bool {
        let request = RequestSample("GET", "/", request)
        return Variance.matches(blob.span, request.head.fields, request.buffer.span)
    }

    // RFC 9111 §4.1.
    @Test(
        arguments: [
            (["Origin"], ["Origin: a"], ["origin: a"], true),
            (["Origin"], ["Origin: a"], ["Origin: b"], false),
            (["Origin"], ["Origin: a"], ["Origin: ab"], false),
            (["Origin"], ["Origin: ab"], ["Origin: a"], false),
            (["Origin"], [], [], true), (["Origin"], [], ["Origin: a"], false),
            (["Origin"], ["Origin: a"], [], false),
            (["Origin"], ["Origin:"], [], false), (["Origin"], ["Origin:"], ["Origin:"], true),
            (["X-A, X-B"], ["X-A: 1", "X-B: 2"], ["X-B: 2", "X-A: 1"], true),
            (["X-A", "X-B"], ["X-A: 1", "X-B: 2"], ["X-A: 1"], false),
            (["X-A"], ["X-A: 1", "X-A: 2"], ["X-A: 1, 2"], true),
            (["X-A"], ["X-A: 1, 2"], ["X-A: 1", "X-A: 2"], true),
            (["X-A"], ["X-A: 1", "X-A: 2"], ["X-A: 2", "X-A: 1"], false),
            (["Accept-Encoding"], ["Accept-Encoding: gzip"], ["Accept-Encoding: br"], true),
            // Lists whose syntax is known.
            (
                ["Accept-Language"], ["Accept-Language: en-GB, en;q=0.5"],
                ["Accept-Language: EN-gb,en; q=0.5"], true
            ),
            (
                ["Accept-Language"], ["Accept-Language: en", "Accept-Language: de"],
                ["Accept-Language: en,,de"], true
            ),
            (["Accept-Language"], ["Accept-Language: en, de"], ["Accept-Language: de, en"], false),
            (["Accept-Language"], ["Accept-Language: en"], ["Accept-Language: en-GB"], false),
            (["Accept-Language"], ["Accept-Language: en-GB"], ["Accept-Language: en"], false),
            (["Accept-Language"], [], ["Accept-Language:"], false),
            (["Accept-Language"], ["Accept-Language:"], ["Accept-Language: ,"], true),
            (["Accept-Language"], ["Accept-Language: en"], [], false), (["Accept-Language"], [], [], true),
            (["Accept"], ["Accept: text/html, a/b;c=\"x, Y\""], ["Accept: text/html,a/b; c=\"x, Y\""], true),
            (["Accept"], ["Accept: a/b;c=\"x, y\""], ["Accept: a/b;c=\"x,y\""], false),
            (["Accept"], ["Accept: a/b;c=\"x\\\" ,y\""], ["Accept: a/b;c=\"x\\\",y\""], false),
            (["Accept"], ["Accept: a/b;c=D"], ["Accept: a/b;c=d"], false),
            (["X-List"], ["X-List: a,b"], ["X-List: a, b"], false),
        ] as [([String], [String], [String], Bool)])
    func theVaryFieldsSelectTheEntry(vary: [String], stored: [String], presented: [String], expected: Bool) {
        guard let blob = Self.blob(vary, stored) else {
            Issue.record("refused")
            return
        }
        #expect(Self.matches(blob, presented) == expected)
    }

    @Test func acceptEncodingLeavesNoBlob() {
        #expect(Self.blob(["accept-encoding"], ["Accept-Encoding: gzip"]) == [])
    }

    /// At most sixteen names, each once: a lookup compares each with all fields of the request.
    @Test func theNumberOfVaryNamesIsBounded() {
        let names = (0..<17).map { "x\($0)" }
        #expect(Self.blob(Array(names.dropLast()), ["x3: a"]) != nil)
        #expect(Self.blob([names.dropLast().joined(separator: ", ")], []) != nil)
        #expect(Self.blob(names, []) == nil)
        #expect(Self.blob([names.joined(separator: ",")], []) == nil)
        // Repeated names, and names that do not select, do not count.
        let once = Self.blob(["x", "y"], ["x: a"])
        #expect(once != nil && Self.blob(["x, X,x", "y,x, Y"], ["x: a"]) == once)
        let repeated = String(repeating: "accept-encoding, host, x, ", count: 40)
        #expect(Self.blob([repeated], ["x: a"]) == Self.blob(["x"], ["x: a"]))
    }

    @Test func strippedCookiesDoNotSelect() {
        #expect(Self.blob(["Cookie"], ["Cookie: a"], Policy.liberal.with { $0.store.cookies = .strip }) == [])
    }

    @Test func overlongVaryValuesAreRefused() {
        #expect(Self.blob(["X"], ["X: " + String(repeating: "a", count: 1025)]) == nil)
        #expect(Self.blob(["X"], ["X: " + String(repeating: "a", count: 1000)])?.count == 1004)
    }

    /// A truncated or damaged blob matches no request.
    @Test func damagedBlobsMatchNothing() {
        guard let blob = Self.blob(["Origin, X-A"], ["Origin: abc"]) else {
            Issue.record("refused")
            return
        }
        #expect(Self.matches(blob, ["Origin: abc"]))
        for count in 1..<blob.count where count != 12 {
            #expect(!Self.matches(Array(blob[..<count]), ["Origin: abc"]), "\(count)")
        }
        #expect(!Self.matches([255, 1, 2], []))
        #expect(!Self.matches([0, 0xff, 0xfe], []))
    }
}

@Suite struct OriginFieldsTests {
    @Test func requestFieldsAreTreatedForTheOrigin() {
        let rules = Rules(policy: Policy(name: "test"), upstream: "origin")
        let strip = Rules(policy: Policy(name: "test").with { $0.store.cookies = .strip }, upstream: "origin")
        let replaced: [FieldName] = [
            .host, .forwarded, .xForwardedFor, .xForwardedHost, .xForwardedProto, .via,
        ]
        let connection: [FieldName] = [
            .connection, .keepAlive, .te, .trailer, .transferEncoding, .upgrade, .proxyAuthorization,
            .proxyConnection,
            .http2Settings,
        ]
        let stores: [FieldName] = [
            .ifNoneMatch, .ifModifiedSince, .ifMatch, .ifUnmodifiedSince, .ifRange, .range,
            .overridesMethod,
        ]
        for trusted in [false, true] {
            func treatment(_ field: FieldName, storable: Bool, _ rules: Rules) -> FieldTreatment {
                rules.treatment(of: field, storable: storable, trusted: trusted)
            }
            for field in replaced { #expect(treatment(field, storable: false, rules) == .replace) }
            for field in connection { #expect(treatment(field, storable: false, rules) == .drop) }
            for field in stores {
                #expect(treatment(field, storable: true, rules) == .drop)
                #expect(treatment(field, storable: false, rules) == .send)
            }
            #expect(treatment(.acceptEncoding, storable: true, rules) == .replace)
            #expect(treatment(.acceptEncoding, storable: false, rules) == .send)
            #expect(treatment(.cookie, storable: true, rules) == .send)
            #expect(treatment(.cookie, storable: true, strip) == .drop)
            for field in [FieldName.other, .accept, .origin, .userAgent, .cacheControl, .acceptLanguage] {
                #expect(treatment(field, storable: true, rules) == .send)
            }
        }
    }

    /// No claim of an untrusted client reaches the origin, with any method. Of a trusted proxy's claims, the
    /// permitted ones do.
    @Test func onlyPermittedClaimsReachTheOrigin() {
        let rules = Rules(policy: Policy(name: "test"), upstream: "origin")
        let claims: [FieldName] = [.claimsClient, .claimsSite, .claimsUser, .rewritesURL]
        for field in claims {
            for storable in [false, true] {
                #expect(rules.treatment(of: field, storable: storable, trusted: false) == .drop)
            }
            #expect(rules.treatment(of: field, storable: false, trusted: true) == .send)
            let expected = field == .claimsClient ? FieldTreatment.send : .drop
            #expect(rules.treatment(of: field, storable: true, trusted: true) == expected)
        }
        for (storable, trusted) in [(false, false), (false, true), (true, false), (true, true)] {
            #expect(rules.treatment(of: .oddSpelling, storable: storable, trusted: trusted) == .drop)
        }
    }
}
