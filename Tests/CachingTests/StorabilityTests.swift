/// "May this response be stored?" where the default policy's table does not reach: rules that other policies
/// loosen, rules that no policy loosens, ages to the millisecond, and a test for every reason.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct StorabilityTests {
    static let date = "Thu, 01 Jan 2026 00:00:00 GMT"
    static let now = Decision.now

    static func judge(
        _ response: borrowing ResponseSample, _ policy: Policy = Policy(name: "test"), request: [String] = [],
        delayMilliseconds: UInt64 = 0, received: Times = now
    ) -> StoreVerdict {
        let rules = Rules(policy: policy, upstream: "origin")
        let request = RequestSample("GET", "/", request)
        let verdict = rules.judge(request.head, request.buffer.span)
        let sent = Times(
            wallMilliseconds: received.wallMilliseconds - delayMilliseconds,
            bootMilliseconds: received.bootMilliseconds - delayMilliseconds)
        return rules.judge(response.head, response.buffer.span, to: verdict, sent: sent, received: received)
    }

    /// (policy, status, response headers, request headers, refusal or nil).
    struct Row: Sendable, CustomTestStringConvertible {
        var policy = Policy.liberal
        var status = 200
        var headers: [String]
        var request: [String] = []
        var reason: String?
        var testDescription: String { "\(status) \(headers) \(request)" }

        init(
            status: Int = 200, _ headers: [String], request: [String] = [], under policy: Policy = .liberal,
            is reason: String? = nil
        ) {
            self.policy = policy
            self.status = status
            self.headers = headers
            self.request = request
            self.reason = reason
        }
    }

    static let fresh = "Cache-Control: max-age=60"
    static let strip = Policy(name: "strip").with { $0.store.cookies = .strip }

    static let rows: [Row] = [
        // `reading: rfc`: the first of several lifetimes counts, unless it is malformed (§4.2.1).
        .init(["Cache-Control: max-age=60, max-age=0"]),
        .init(["Cache-Control: max-age=0, max-age=60"], is: "expired"),
        .init(["Cache-Control: max-age=x, max-age=60"], is: "no-freshness"),
        .init(["Cache-Control: max-age=60, =x"]),
        // Age: the first of several counts; an invalid one is ignored (§5.1).
        .init([fresh, "Age: 5, 100"]), .init([fresh, "Age: 100, 5"], is: "expired"),
        .init([fresh, "Age: 5", "Age: 100"]),
        .init([fresh, "Age: x"]), .init([fresh, "Age: -1"]),
        .init([fresh, "Age: 99999999999999999999999"], is: "date"),
        // Content-Range has a meaning only on a 206 (RFC 9110 §14.4).
        .init([fresh, "Content-Range: bytes 0-99/100"]),
        .init([fresh, "Pragma: no-cache"]),
        // Heuristics (§4.2.2): a share of Date − Last-Modified, only where no lifetime is stated.
        .init(["Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT"]),
        .init(["Last-Modified: x"], is: "no-freshness"),
        // Not fresh, but it has a validator.
        .init(["Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT", "Expires: 0"]),
        .init(["Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT", "Cache-Control: max-age=x"]),
        .init(status: 302, ["Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT"], is: "no-freshness"),
        .init(status: 302, ["Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT", "Cache-Control: public"]),
        .init(["Last-Modified: Fri, 02 Jan 2026 00:00:00 GMT"]),
        // Vary: any field, except `*`.
        .init([fresh, "Vary: Origin, Accept-Language"]), .init([fresh, "Vary: Origin, *"], is: "vary"),
        .init([fresh, "Vary: Origin;"], is: "vary"),
        // Authorization (§3.5).
        .init([fresh], request: ["Authorization: x"], is: "authorization"),
        .init([fresh, "Cache-Control: must-revalidate"], request: ["Authorization: x"]),
        .init([fresh, "Cache-Control: public"], request: ["Authorization: x"]),
        .init(["Cache-Control: s-maxage=9"], request: ["Authorization: x"]),
        .init(
            [fresh, "Cache-Control: proxy-revalidate"], request: ["Authorization: x"], is: "authorization"),
        .init([fresh, "Cache-Control: public=1"], request: ["Authorization: x"], is: "authorization"),
        // Rules that no policy loosens.
        .init([fresh, "Set-Cookie: a=1"], is: "set-cookie"),
        .init([fresh, "Cache-Control: no-store"], is: "no-store"),
        .init([fresh, "Cache-Control: private"], is: "private"),
        // Kept for revalidation; until then the strictest effect holds.
        .init([fresh, "Cache-Control: no-cache"], is: "no-cache"),
        .init([fresh, "Date: x"], is: "date"), .init([fresh, "Date: \(date)", "Date: \(date)"], is: "date"),
        // Statuses with explicit freshness.
        .init(status: 302, [fresh]), .init(status: 203, [fresh]), .init(status: 500, [fresh]),
        .init(status: 403, [fresh]), .init(status: 599, [fresh]),
        // Cookies stripped: the origin never saw one.
        .init([fresh], request: ["Cookie: a=1"], under: strip),
        .init([fresh], request: ["Cookie: a=1"], is: "cookie"),
        .init([fresh, "Vary: Cookie"], under: strip, is: "vary"),
        .init(
            [fresh, "Vary: Accept-Encoding"], under: Policy(name: "x").with { $0.store.vary = .list([]) },
            is: "vary"),
        .init([fresh, "Vary: ORIGIN"], under: Policy(name: "x").with { $0.store.vary = .list(["Origin"]) }),
        .init([fresh, "Content-Encoding: x-gzip"]),
        .init([fresh, "Content-Encoding: identity"], is: "encoding"),
        .init([fresh, "Content-Encoding:"], is: "encoding"),
        .init([fresh, "Content-Encoding: gzip", "Content-Encoding: gzip"], is: "encoding"),
    ]

    @Test(arguments: rows)
    func aResponseIsJudgedForStorage(row: Row) {
        let response = ResponseSample(row.status, ["Content-Length: 5"] + row.headers)
        let verdict = Self.judge(response, row.policy, request: row.request)
        switch verdict {
        case .store: #expect(row.reason == nil)
        case .refuse(let reason): #expect(String(describing: reason.code) == row.reason)
        }
    }

    /// A partial response and the like are stored under no policy. Statuses from 400 on live ten seconds.
    @Test func statusesUnderTheMostLiberalPolicy() {
        let never: Set<Int> = [
            206, 304, 400, 401, 406, 407, 408, 411, 412, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429,
            431, 511,
        ]
        for status in 100...599 {
            let response = ResponseSample(status, ["Content-Length: 5", Self.fresh])
            switch Self.judge(response, .liberal) {
            case .refuse(let reason):
                #expect(reason == .status && (status < 200 || never.contains(status)), "\(status)")
            case .store(let facts):
                #expect(status >= 200 && !never.contains(status), "\(status)")
                #expect(facts.freshForMilliseconds == (status >= 400 ? 10_000 : 60_000), "\(status)")
            }
        }
    }

    // §4.2.3, to the millisecond: apparent age, and age value plus response delay, whichever is larger.
    static let ages: [(headers: [String], delay: UInt64, past: UInt64, age: UInt64)] = [
        // (headers, delay, ms past the second on receipt, initial age)
        ([fresh, "Date: \(date)"], 0, 0, 0), ([fresh, "Date: \(date)"], 0, 999, 0),
        // Counted from the end of the second that Date names.
        ([fresh, "Date: \(date)"], 0, 1000, 1), ([fresh, "Date: \(date)"], 900, 1250, 900),
        ([fresh, "Date: Wed, 31 Dec 2025 23:59:50 GMT"], 0, 0, 9001),
        ([fresh], 300, 0, 300), ([fresh, "Age: 5"], 300, 0, 5300),
        ([fresh, "Age: 5", "Date: \(date)"], 0, 999, 5000),
        ([fresh, "Date: Wed, 31 Dec 2025 23:59:50 GMT", "Age: 5"], 0, 1, 9002),
        // A Date ahead of our clock makes no age negative.
        ([fresh, "Date: Thu, 01 Jan 2026 00:00:30 GMT"], 0, 0, 0),
    ]

    @Test(arguments: ages)
    func theInitialAgeIsExact(row: (headers: [String], delay: UInt64, past: UInt64, age: UInt64)) {
        var received = Self.now
        received.wallMilliseconds += row.past
        received.bootMilliseconds += row.past
        let response = ResponseSample(200, row.headers + ["Content-Length: 5"])
        guard case .store(let facts) = Self.judge(response, delayMilliseconds: row.delay, received: received)
        else {
            Issue.record("refused")
            return
        }
        #expect(facts.initialAgeMilliseconds == row.age)
        #expect(facts.freshForMilliseconds == 60_000 - row.age)
    }

    @Test func anEntryRemembersItsFacts() {
        let headers = [
            "Content-Length: 5", "Cache-Control: s-maxage=60, immutable", "ETag: \"a\"", "Last-Modified: x",
            "Content-Encoding: br",
            "Vary: Origin, Accept-Encoding",
        ]
        guard case .store(let facts) = Self.judge(ResponseSample(200, headers), .liberal) else {
            Issue.record("refused")
            return
        }
        #expect(
            facts.flags == [
                .answersCookies, .answersAuthorized, .mustRevalidate, .hasEntityTag, .varies, .immutable,
                .codedForAll, .codedForUnstated,
            ])
        #expect(facts.coding == .br && facts.status == 200 && facts.received == Self.now)
        #expect(EntryFacts(unpacking: facts.pack()) == facts)
        guard case .store(let plain) = Self.judge(ResponseSample(301, ["Content-Length: 5", Self.fresh]))
        else {
            Issue.record("refused")
            return
        }
        #expect(plain.flags == [] && plain.coding == .identity && plain.status == 301)
        #expect(EntryFacts(unpacking: plain.pack()) == plain)
    }

    // RFC 9651 §4.2, RFC 9213 §2.1.
    @Test(arguments: [
        // (field value, lifetime in s; -1: ignored; -2: applies without a lifetime)
        ("max-age=60", 60), ("max-age=60;x=y;z", 60), ("a, max-age=60", 60),
        ("max-age=60 ,\t b=(1 \"x\";p c);q", 60),
        ("x=:aGk=:, y=?0, z=@123, w=%\"a%20b\", v=-1.5, u=*t/x, max-age=60", 60),
        ("max-age=999999999999999", 1 << 31),
        ("public", -2), ("max-age=-1", -2), ("max-age=60.5", -2), ("max-age=\"60\"", -2), ("max-age", -2),
        ("max-age=tok", -2),
        ("max-age=1, max-age=2", -2), ("max-age=@60", -2), ("max-age=(60)", -2),
        ("", -1), ("max-age=60,", -1), (",max-age=60", -1), ("max-age=60 x", -1), ("max-age = 60", -1),
        ("Max-Age=60", -1),
        ("max-age=", -1), ("max-age=60;", -1), ("max-age=60;X=1", -1), ("max-age=6000000000000000", -1),
        ("x=\"a", -1),
        ("x=\"\\a\", max-age=60", -1), ("x=:a, max-age=60", -1), ("x=?2", -1), ("x=(1", -1),
        ("x=(1\"a\")", -1), ("x=1.2345", -1),
        ("x=1.", -1), ("x=%\"%2G\"", -1), ("x=%a", -1), ("x=@1.5", -1), ("x=-", -1), ("1=2", -1),
    ])
    func aTargetedFieldIsRead(text: String, seconds: Int) {
        let sample = ResponseSample(200, ["CDN-Cache-Control: \(text)"])
        let directives = TargetedField.directives(sample.head.fields, sample.buffer.span, .strict)
        switch seconds {
        case -1: #expect(directives == nil)
        case -2:
            guard let directives else { fallthrough }
            #expect(directives.maxAge == .absent || directives.maxAge == .invalid)
        default: #expect(directives?.maxAge == .seconds(UInt32(seconds)))
        }
    }

    /// RFC 9651: Byte Sequences (§4.2.7), Dates (§4.2.9), Display Strings (§4.2.10).
    @Test(arguments: [
        (":aGVsbG8=:", true), ("::", true), (":aGVsbG8:", true), (":iZ==:", true), (":iZ:", true),
        (":+/09azAZ:", true),
        (":YQ==:;a", true), (":aGVsbG8=", false), (":aGVsb G8=:", false), (":aGVsbG!8=:", false),
        (":_-Ah:", false), (":=aGVsbG8=:", false), (":a=GVsbG8=:", false), (":aGVsbG8==:", false),
        (":a:", false), (":aGVsb:", false), (":=:", false), (":====:", false), (":aGVs=:", false),
        (":aGVs====:", false),
        (":aG===:", false), (":aGVsbG8=;:", false), ("aGVsbG8=:", false), (":\u{e9}:", false), (":", false),
        ("@1659578233", true), ("@0", true), ("@-1659578233", true), ("@999999999999999", true),
        ("@1;a=@2", true),
        ("@1659578233.5", false), ("@1000000000000000", false), ("@", false), ("@-", false), ("@+1", false),
        ("@a", false), ("@\"1\"", false), ("@ 1", false), ("@1.", false),
        ("%\"\"", true), ("%\"a b\"", true), ("%\"f%c3%bc\"", true), ("%\"%22%25\"", true),
        ("%\"\\\"", true), ("%\"%e2%82%ac\"", true), ("%\"%f0%9f%98%80\"", true), ("%\"%00%7f\"", true),
        ("%\"%ed%9f%bf%ee%80%80%f4%8f%bf%bf\"", true), ("%\"a\";b=%\"c\"", true),
        ("%\"f%C3%BC\"", false), ("%\"%c3\"", false), ("%\"%c3a\"", false), ("%\"%bc\"", false),
        ("%\"%c0%af\"", false),
        ("%\"%c1%81\"", false), ("%\"%e0%80%af\"", false), ("%\"%ed%a0%80\"", false),
        ("%\"%f0%80%80%af\"", false),
        ("%\"%f4%90%80%80\"", false), ("%\"%f5%80%80%80\"", false), ("%\"%ff\"", false),
        ("%\"%c3%bc%c3\"", false),
        ("%\"%e2%82\"", false), ("%\"%2\"", false), ("%\"%\"", false), ("%\"%zz\"", false), ("%\"a", false),
        ("%a", false), ("%", false), ("%'a'", false), ("%\"\u{e9}\"", false), ("%\"a\tb\"", false),
    ])
    func structuredFieldTypesAreRead(item: String, parses: Bool) {
        // As a value, as a parameter, and in an inner list: a malformed item invalidates the whole field.
        for text in ["x=\(item)", "x=1;p=\(item)", "x=(1 \(item))", "max-age=9, x=\(item)"] {
            let sample = ResponseSample(200, ["CDN-Cache-Control: \(text), public"])
            let directives = TargetedField.directives(sample.head.fields, sample.buffer.span, .strict)
            #expect((directives != nil) == parses, "\(text)")
            if parses, text.hasPrefix("max-age") { #expect(directives?.maxAge == .seconds(9)) }
        }
        // None of them is a lifetime.
        let sample = ResponseSample(200, ["CDN-Cache-Control: max-age=\(item)"])
        let directives = TargetedField.directives(sample.head.fields, sample.buffer.span, .strict)
        #expect(directives.map { $0.maxAge.seconds == nil } ?? true)
    }

    @Test func aTargetedFieldMaySpanLines() {
        let two = ResponseSample(200, ["CDN-Cache-Control: public", "CDN-Cache-Control: max-age=9"])
        let combined = TargetedField.directives(two.head.fields, two.buffer.span, .strict)
        #expect(combined?.maxAge == .seconds(9) && combined?.flags == .public)
        let broken = ResponseSample(200, ["CDN-Cache-Control: public", "CDN-Cache-Control:"])
        #expect(TargetedField.directives(broken.head.fields, broken.buffer.span, .strict) == nil)
        let fallback = ResponseSample(200, ["CDN-Cache-Control: max-age=9", "Larder-Cache-Control: ="])
        #expect(
            TargetedField.directives(fallback.head.fields, fallback.buffer.span, .strict)?.maxAge
                == .seconds(9))
    }
}
