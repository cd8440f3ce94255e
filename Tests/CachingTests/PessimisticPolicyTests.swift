/// The decision table of the policy `pessimistic`, the same rows as in `cache-policies/pessimistic.yaml`
/// (which this module cannot read), and run here against the policy's defaults.
import Caching
import Settings
import Testing

@Suite struct PessimisticPolicyTests {
    static let policy = Policy(name: "pessimistic")

    @Test(arguments: PessimisticRow.all)
    func decides(row: PessimisticRow) throws {
        let outcome = try Decision.evaluate(row.exchange, policy: Self.policy)
        #expect(outcome == row.expected, "\(row.name)")
    }
}

struct PessimisticRow: Sendable, CustomTestStringConvertible {
    var name: String
    var exchange: Decision.Case
    var expected: Decision.Outcome
    var testDescription: String { name }

    /// `refused: nil` means stored.
    init(
        _ name: String, _ request: Decision.Request = Decision.Request(), response: Decision.Response,
        refused: String? = nil, after: Int? = nil, next: Decision.Request = Decision.Request(),
        is answer: Decision.Answer? = nil
    ) {
        self.name = name
        exchange = .init(request, response, then: after.map { .init(afterSeconds: $0, next) })
        expected = .init(stored: refused == nil, reason: refused, then: answer)
    }

    static var all: [PessimisticRow] {
        freshness + prohibitions + targeted + ages + shapes + variance
            + credentials + passing + clientWishes + conditions + keys
    }
}

extension PessimisticRow {
    /// Freshness (RFC 9111 §4.2).
    static let freshness: [PessimisticRow] = [
        .init(
            "max-age makes it cacheable", response: .init(headers: ["Cache-Control: max-age=60"]), after: 10,
            is: .init(.hit, ageSeconds: 10)),
        .init("nothing said, nothing stored", response: .init(), refused: "no-freshness"),
        .init(
            "Last-Modified alone is no lifetime (§4.2.2 is a MAY)",
            response: .init(headers: ["Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"]),
            refused: "no-freshness"),
        .init(
            "s-maxage goes before max-age",
            response: .init(headers: ["Cache-Control: max-age=60, s-maxage=5"]), after: 6, is: .init(.stale)),
        .init(
            "s-maxage=0 goes before max-age too",
            response: .init(headers: ["Cache-Control: max-age=60, s-maxage=0"]), refused: "expired"),
        .init(
            "max-age goes before Expires",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Expires: Thu, 01 Jan 2015 00:00:00 GMT",
            ]), after: 1, is: .init(.hit, ageSeconds: 1)),
        .init(
            "Expires minus Date",
            response: .init(headers: [
                "Date: Thu, 01 Jan 2026 00:00:00 GMT",
                "Expires: Thu, 01 Jan 2026 00:01:00 GMT",
            ]), after: 59, is: .init(.hit, ageSeconds: 59)),
        .init(
            "Expires without Date counts from receipt",
            response: .init(headers: ["Expires: Thu, 01 Jan 2026 00:01:00 GMT"]), after: 60,
            is: .init(.stale)),
        .init("Expires: 0 is the past", response: .init(headers: ["Expires: 0"]), refused: "expired"),
        .init("Expires: -1 is the past", response: .init(headers: ["Expires: -1"]), refused: "expired"),
        .init(
            "two Expires are the past",
            response: .init(headers: [
                "Expires: Thu, 01 Jan 2026 00:01:00 GMT",
                "Expires: Thu, 01 Jan 2026 00:01:00 GMT",
            ]), refused: "expired"),
        .init(
            "an Expires in another zone is the past",
            response: .init(headers: ["Expires: Thu, 01 Jan 2026 00:01:00 CET"]), refused: "expired"),
        .init(
            "max-age=0 is expired on arrival", response: .init(headers: ["Cache-Control: max-age=0"]),
            refused: "expired"),
        .init(
            "fresh until the lifetime, not at it", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 60, is: .init(.stale)),
        .init(
            "the policy's cap holds against a year",
            response: .init(headers: ["Cache-Control: max-age=31536000"]), after: 600, is: .init(.stale)),
        .init(
            "a lifetime beyond all numbers saturates",
            response: .init(headers: ["Cache-Control: max-age=99999999999999999999999"]), after: 599,
            is: .init(.hit, ageSeconds: 599)),
        .init(
            "a malformed max-age is stale", response: .init(headers: ["Cache-Control: max-age=60s"]),
            refused: "no-freshness"),
        .init(
            "a negative max-age is stale", response: .init(headers: ["Cache-Control: max-age=-60"]),
            refused: "no-freshness"),
        .init(
            "a max-age without a value is stale", response: .init(headers: ["Cache-Control: max-age"]),
            refused: "no-freshness"),
        .init(
            "a malformed max-age does not fall back to Expires",
            response: .init(headers: ["Cache-Control: max-age=x", "Expires: Thu, 01 Jan 2026 00:01:00 GMT"]),
            refused: "no-freshness"),
        .init(
            "conflicting lifetimes are stale",
            response: .init(headers: ["Cache-Control: max-age=60, max-age=120"]), refused: "no-freshness"),
        .init(
            "the same lifetime twice is one",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Cache-Control: max-age=60",
            ])),
        .init(
            "a quoted lifetime reads like a bare one",
            response: .init(headers: [#"Cache-Control: max-age="60""#])),
        .init(
            "case and spacing make no difference",
            response: .init(headers: ["Cache-Control:  PUBLIC ,, Max-Age=60 "])),
        .init(
            "an unknown directive permits nothing and forbids nothing",
            response: .init(headers: ["Cache-Control: max-age=60, immutable, x=y"])),
    ]
}

extension PessimisticRow {
    /// Prohibitions (§3, §5.2.2).
    static let prohibitions: [PessimisticRow] = [
        .init(
            "no-store", response: .init(headers: ["Cache-Control: max-age=60, no-store"]),
            refused: "no-store"),
        .init(
            "no-store on a line of its own",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Cache-Control: no-store",
            ]), refused: "no-store"),
        .init(
            "no-store in capitals", response: .init(headers: ["Cache-Control: NO-STORE, max-age=60"]),
            refused: "no-store"),
        .init(
            "must-understand does not lift no-store",
            response: .init(headers: ["Cache-Control: must-understand, no-store, max-age=60"]),
            refused: "no-store"),
        .init(
            "private", response: .init(headers: ["Cache-Control: private, max-age=60"]), refused: "private"),
        .init(
            "private for one field only is private",
            response: .init(headers: [#"Cache-Control: private="x-id, x-name", max-age=60"#]),
            refused: "private"),
        .init(
            "no-cache", response: .init(headers: ["Cache-Control: no-cache, max-age=60"]),
            refused: "no-cache"),
        .init(
            "no-cache for one field only is no-cache",
            response: .init(headers: [#"Cache-Control: max-age=60, no-cache="set-cookie""#]),
            refused: "no-cache"),
        .init(
            "Pragma: no-cache is meant as it says",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Pragma: no-cache",
            ]), refused: "no-cache"),
        .init(
            "a prohibition may hide behind an open quote",
            response: .init(headers: [#"Cache-Control: max-age=60, x="y, no-store"#]),
            refused: "no-freshness"),
        .init(
            "a semicolon does not separate directives",
            response: .init(headers: ["Cache-Control: max-age=60; no-store"]), refused: "no-freshness"),
        .init(
            "a cookie makes it private",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Set-Cookie: id=1",
            ]), refused: "set-cookie"),
        .init(
            "a cookie does, whatever public says",
            response: .init(headers: ["Cache-Control: public, s-maxage=60", "Set-Cookie: id=1"]),
            refused: "set-cookie"),
    ]
}

extension PessimisticRow {
    /// Targeted fields (RFC 9213).
    static let targeted: [PessimisticRow] = [
        .init(
            "CDN-Cache-Control replaces Cache-Control",
            response: .init(headers: [
                "Cache-Control: no-store",
                "CDN-Cache-Control: max-age=60",
            ]), after: 10, is: .init(.hit, ageSeconds: 10)),
        .init(
            "Larder-Cache-Control goes first",
            response: .init(headers: [
                "CDN-Cache-Control: max-age=60",
                "Larder-Cache-Control: no-store",
            ]), refused: "no-store"),
        .init(
            "a targeted field hides Expires too",
            response: .init(headers: [
                "Expires: Thu, 01 Jan 2026 00:01:00 GMT",
                "CDN-Cache-Control: public",
            ]), refused: "no-freshness"),
        .init(
            "an unparsable targeted field is ignored",
            response: .init(headers: [
                "Cache-Control: no-store",
                "CDN-Cache-Control: max-age=60, =",
            ]), refused: "no-store"),
        .init(
            "an empty targeted field is ignored",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "CDN-Cache-Control:",
            ])),
        .init(
            "a targeted lifetime is an integer",
            response: .init(headers: [#"CDN-Cache-Control: max-age="60""#]), refused: "no-freshness"),
    ]
}

extension PessimisticRow {
    /// Age and Date (§4.2.3, §5.1).
    static let ages: [PessimisticRow] = [
        .init(
            "Age counts", response: .init(headers: ["Cache-Control: max-age=60", "Age: 50"]), after: 9,
            is: .init(.hit, ageSeconds: 59)),
        .init(
            "Age can use a lifetime up", response: .init(headers: ["Cache-Control: max-age=60", "Age: 60"]),
            refused: "expired"),
        .init(
            "Age: less than the policy's minimum is left",
            response: .init(headers: ["Cache-Control: max-age=1", "Age: 1"]), refused: "expired"),
        .init(
            "a malformed Age is not trusted",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Age: old",
            ]), refused: "age"),
        .init(
            "two Ages are not trusted",
            response: .init(headers: [
                "Cache-Control: max-age=60", "Age: 1",
                "Age: 1",
            ]), refused: "age"),
        .init(
            "an old Date counts like Age",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Date: Wed, 31 Dec 2025 23:59:30 GMT",
            ]), after: 0, is: .init(.hit, ageSeconds: 30)),
        .init(
            "Date kept by a tier below, with its Age",
            response: .init(headers: [
                "Cache-Control: max-age=200000", "Date: Tue, 30 Dec 2025 00:00:00 GMT",
                "Age: 172800",
            ]), after: 5, is: .init(.hit, ageSeconds: 172805)),
        .init(
            "a clock that is days off is not trusted",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Date: Tue, 30 Dec 2025 00:00:00 GMT",
            ]), refused: "date"),
        .init(
            "a Date from the day after tomorrow is not trusted",
            response: .init(headers: ["Cache-Control: max-age=60", "Date: Sat, 03 Jan 2026 00:00:00 GMT"]),
            refused: "date"),
        .init(
            "a Date that is no date", response: .init(headers: ["Cache-Control: max-age=60", "Date: today"]),
            refused: "date"),
        .init(
            "a slow answer is as old as it took",
            response: .init(
                headers: ["Cache-Control: max-age=60"],
                delaySeconds: 20), after: 39, is: .init(.hit, ageSeconds: 59)),
    ]
}
