/// Range requests on stored responses (RFC 9110 §14), and the heads of their answers.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct RangeTests {
    static let etag = #"ETag: "a""#
    static let date = "Date: Thu, 01 Jan 2026 00:00:00 GMT"
    static let modified = "Thu, 01 Jan 2015 00:00:00 GMT"

    static func outcome(
        _ lines: [String], stored: [String] = [etag, date, "Last-Modified: \(modified)"], status: Int = 200,
        count: Int = 100, method: String = "GET"
    ) -> String {
        let request = RequestSample(method, "/", lines)
        let head = Array(ResponseSample(status, stored).stored(bodyCount: count).utf8)
        let outcome = RangeRequest.evaluate(
            request.head, request.buffer.span, head: head.span, status: UInt16(status), bodyCount: count,
            nowSeconds: 1_767_225_600)
        switch outcome {
        case .whole: return "whole"
        case .part(let range):
            #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count)
            return "\(range)"
        case .unsatisfiable: return "unsatisfiable"
        }
    }

    @Test(
        arguments: [
            ("bytes=0-0", "0..<1"), ("bytes=0-99", "0..<100"), ("bytes=10-19", "10..<20"),
            ("bytes=10-", "10..<100"), ("bytes=99-", "99..<100"), ("bytes=0-1000", "0..<100"),
            ("bytes=-1", "99..<100"), ("bytes=-100", "0..<100"), ("bytes=-1000", "0..<100"),
            ("BYTES=1-2", "1..<3"), ("bytes= 1-2 ", "1..<3"), ("bytes=,1-2,", "1..<3"),
            ("bytes=0-99999999999999999999999", "0..<100"),
            ("bytes=100-", "unsatisfiable"), ("bytes=100-200", "unsatisfiable"),
            ("bytes=99999999999999999999999-", "unsatisfiable"), ("bytes=-0", "unsatisfiable"),
            ("bytes=0-1,3-4", "whole"), ("bytes=2-1", "whole"), ("bytes=", "whole"), ("bytes=-", "whole"),
            ("bytes", "whole"), ("bytes=a-b", "whole"), ("bytes=1", "whole"), ("bytes=1 - 2", "whole"),
            ("bytes=--1", "whole"), ("bytes=+1-2", "whole"), ("bytes=1-2-3", "whole"),
            ("bytes =1-2", "whole"), ("lines=1-2", "whole"), ("bytes=0x1-2", "whole"), ("", "whole"),
        ])
    func aRangeIsRead(value: String, expected: String) {
        #expect(Self.outcome(["Range: \(value)"]) == expected)
    }

    @Test func onlyAGetAndA200HaveRanges() {
        let range = "Range: bytes=0-1"
        #expect(Self.outcome([range]) == "0..<2")
        #expect(Self.outcome([range], method: "HEAD") == "whole")
        #expect(Self.outcome([range], status: 404) == "whole")
        #expect(Self.outcome([range], status: 203) == "whole")
        #expect(Self.outcome([range, range]) == "whole")
        #expect(Self.outcome([]) == "whole")
    }

    @Test func anEmptyBodyHasNoRange() {
        #expect(Self.outcome(["Range: bytes=0-"], count: 0) == "unsatisfiable")
        #expect(Self.outcome(["Range: bytes=-5"], count: 0) == "whole")
        #expect(Self.outcome(["Range: bytes=-0"], count: 0) == "unsatisfiable")
    }

    @Test(
        arguments: [
            (#""a""#, true), (#""b""#, false), (#"W/"a""#, false), ("a", false), ("", false), ("*", false),
            (#""a", "b""#, false), (modified, true), ("Thu Jan  1 00:00:00 2015", true),
            ("Thu, 01 Jan 2015 00:00:01 GMT", false), ("Fri, 01 Jan 2027 00:00:00 GMT", false),
        ])
    func ifRangeComparesStrongly(value: String, isCurrent: Bool) {
        let lines = ["Range: bytes=0-1", "If-Range: \(value)"]
        #expect(Self.outcome(lines) == (isCurrent ? "0..<2" : "whole"))
    }

    @Test func ifRangeNeedsAStrongValidator() {
        let byTag = ["Range: bytes=0-1", #"If-Range: "a""#]
        #expect(Self.outcome(byTag, stored: [#"ETag: W/"a""#]) == "whole")
        #expect(Self.outcome(byTag, stored: []) == "whole")
        #expect(Self.outcome(byTag + [#"If-Range: "a""#]) == "whole")
        // Changed within a minute before it was sent: it may have changed once more since.
        let byDate = ["Range: bytes=0-1", "If-Range: Wed, 31 Dec 2025 23:59:01 GMT"]
        let just = "Last-Modified: Wed, 31 Dec 2025 23:59:01 GMT"
        #expect(Self.outcome(byDate, stored: [Self.date, just]) == "whole")
        #expect(Self.outcome(byDate, stored: ["Date: Thu, 01 Jan 2026 00:00:01 GMT", just]) == "0..<2")
        // Several codings have the same date: it is unknown which of them the client has a part of.
        let old = ["Range: bytes=0-1", "If-Range: \(Self.modified)"]
        let dated = [Self.etag, Self.date, "Last-Modified: \(Self.modified)"]
        for (vary, expected) in [
            ("Accept-Encoding", "whole"), ("Origin, accept-encoding", "whole"), ("*", "whole"),
            ("Origin", "0..<2"),
        ] {
            #expect(Self.outcome(old, stored: dated + ["Vary: Cookie", "Vary: \(vary)"]) == expected)
            #expect(Self.outcome(byTag, stored: dated + ["Vary: \(vary)"]) == "0..<2")
        }
        // An unsatisfiable range of another representation is not an error.
        #expect(Self.outcome(["Range: bytes=500-", #"If-Range: "b""#]) == "whole")
        #expect(Self.outcome(["Range: bytes=500-", #"If-Range: "a""#]) == "unsatisfiable")
    }

    @Test func rangeHeadsAreWritten() {
        let stored = Array(
            ResponseSample(
                200,
                [
                    Self.date, Self.etag, "Content-Type: text/plain", "Content-Digest: x", "Content-MD5: x",
                    "Digest: x", "Repr-Digest: y", "Cache-Control: max-age=60", "Cache-Status: tier; hit",
                ]
            ).stored(bodyCount: 100).utf8)
        var partial = ByteBuffer(capacity: 64)
        StoredHead.appendPartial(stored.span, 10..<20, of: 100, to: &partial)
        let text = partial.span.string
        #expect(
            text == """
                HTTP/1.1 206 Partial Content\r
                \(Self.date)\r
                \(Self.etag)\r
                Content-Type: text/plain\r
                Repr-Digest: y\r
                Cache-Control: max-age=60\r
                Cache-Status: tier; hit\r
                Content-Range: bytes 10-19/100\r
                Content-Length: 10\r

                """)
        var none = ByteBuffer(capacity: 64)
        StoredHead.appendUnsatisfiable(stored.span, bodyCount: 100, to: &none)
        let unsatisfiable = none.span.string
        #expect(
            unsatisfiable == """
                HTTP/1.1 416 Range Not Satisfiable\r
                \(Self.date)\r
                Cache-Status: tier; hit\r
                Content-Range: bytes */100\r
                Content-Length: 0\r

                """)
    }

    @Test func rangesAndConditionsAreDecidedTogether() {
        let range = RequestSample("GET", "/", ["Range: bytes=0-1", #"If-Range: "a""#]).verdict()
        #expect(range.mayLookup && !range.mayStore && range.reason == .range && range.flags.contains(.range))
        // Without Range, If-Range has no meaning.
        let condition = RequestSample("GET", "/", [#"If-Range: "a""#]).verdict()
        #expect(condition.mayLookup && condition.mayStore && condition.reason == nil)
        let never = RequestSample("GET", "/", ["Range: bytes=0-1", "Cache-Control: no-store"]).verdict()
        #expect(!never.mayLookup && never.reason == .clientNoStore)
    }
}
