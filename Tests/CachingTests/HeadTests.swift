/// Heads that Larder writes (stored heads, 304s, Cache-Status), and what it reads back from stored heads.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct HeadTests {
    @Test func aStoredHeadIsWritten() {
        let sample = ResponseSample(
            200,
            [
                "Content-Type: text/css", "X-Empty:", "Connection: close, x-private", "X-Private: 1",
                "Keep-Alive: timeout=5",
                "Transfer-Encoding: chunked", "Age: 5", "Proxy-Authenticate: x",
                "Upgrade: h2c",
                "Cache-Status: inner; hit", "ETag: \"a\"", "Date: Thu, 01 Jan 2026 00:00:00 GMT",
            ], reason: "Fine")
        #expect(
            sample.stored() == """
                HTTP/1.1 200 Fine\r
                Content-Type: text/css\r
                X-Empty: \r
                Cache-Status: inner; hit\r
                ETag: "a"\r
                Date: Thu, 01 Jan 2026 00:00:00 GMT\r
                Content-Length: 5\r\n
                """)
    }

    // RFC 9110 §6.6.1: a recipient with a clock adds a missing Date.
    @Test func aMissingDateIsAdded() {
        let stored = ResponseSample(301, ["Content-Length: 99"], reason: "").stored(bodyCount: 0)
        #expect(stored == "HTTP/1.1 301 \r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n")
    }

    @Test func aHeadAboveTheLimitIsNotStored() {
        let sample = ResponseSample(200, ["X: 1", "Date: Thu, 01 Jan 2026 00:00:00 GMT"])
        let whole = sample.stored().utf8.count
        #expect(sample.stored(limit: whole).utf8.count == whole)
        #expect(sample.stored(limit: whole - 1) == "head-too-large")
    }

    // RFC 9110 §15.4.5.
    @Test func a304HasTheFieldsOfTheStoredHead() {
        let stored = ByteBuffer(
            ResponseSample(
                200,
                [
                    "Cache-Control: max-age=5", "Content-Location: /a", "Content-Type: text/css",
                    "ETag: \"a\"", "Vary: x",
                    "Expires: 0", "Last-Modified: y", "Content-Encoding: gzip", "Cache-Status: inner",
                    "X-Y: z",
                    "Date: Thu, 01 Jan 2026 00:00:00 GMT",
                ]
            ).stored())
        var output = ByteBuffer(capacity: 256)
        Conditional.appendNotModified(head: stored.span, to: &output)
        #expect(
            output.span.string == """
                HTTP/1.1 304 Not Modified\r
                Cache-Control: max-age=5\r
                Content-Location: /a\r
                ETag: "a"\r
                Vary: x\r
                Expires: 0\r
                Cache-Status: inner\r
                Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n
                """)
        let untagged = ByteBuffer("HTTP/1.1 200 OK\r\nLast-Modified: y\r\nX: z\r\n")
        var other = ByteBuffer(capacity: 256)
        Conditional.appendNotModified(head: untagged.span, to: &other)
        #expect(other.span.string == "HTTP/1.1 304 Not Modified\r\nLast-Modified: y\r\n")
    }

    // RFC 9110 §8.8.3.2 and §13.1.2.
    static let tags: [(stored: String, list: String, matches: Bool)] = [
        (#""a""#, #""a""#, true), (#"W/"a""#, #""a""#, true), (#""a""#, #"W/"a""#, true),
        (#""a""#, #""b", "a""#, true),
        (#""a""#, #", ,"b","a""#, true), (#""a,b""#, #""a,b""#, true), (#""a\""#, #""b\", "a\""#, true),
        (#""""#, #""""#, true),
        (#""a""#, #""A""#, false), (#""a""#, #""a"#, false), (#""a""#, "a", false),
        (#""a""#, #"w/"a""#, false),
        (#""a""#, #""b" "a""#, false), (#""a""#, #""b";"a""#, false), ("a", "a", false),
        (#""a"b"#, #""a""#, false),
        (#""a""#, "", false), (#""a""#, "*", true), (#""a""#, #"*, "b""#, false),
    ]

    @Test(arguments: tags)
    func ifNoneMatchComparesWeakly(row: (stored: String, list: String, matches: Bool)) {
        let request = RequestSample("GET", "/", ["If-None-Match: \(row.list)"])
        let head = ByteBuffer("HTTP/1.1 200 OK\r\nETag: \(row.stored)\r\n")
        let outcome = Conditional.evaluate(
            request.head, request.buffer.span, status: 200, head: head.span, nowSeconds: 1_767_225_600)
        #expect(outcome == (row.matches ? .notModified : .whole))
        let error = Conditional.evaluate(
            request.head, request.buffer.span, status: 404, head: head.span, nowSeconds: 1_767_225_600)
        #expect(error == .whole)
    }

    @Test func severalIfNoneMatchLinesAreOneList() {
        let request = RequestSample("GET", "/", [#"If-None-Match: "b""#, #"If-None-Match: "a""#])
        let head = ByteBuffer("HTTP/1.1 200 OK\r\nEtag:\"a\"\r\n")
        let outcome = Conditional.evaluate(
            request.head, request.buffer.span, status: 200, head: head.span, nowSeconds: 0)
        #expect(outcome == .notModified)
        // Two tags: it is undecided which one counts.
        let twice = ByteBuffer("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nETag: \"a\"\r\n")
        let unsure = Conditional.evaluate(
            request.head, request.buffer.span, status: 200, head: twice.span, nowSeconds: 0)
        #expect(unsure == .whole)
    }

    @Test func ifModifiedSinceNeedsTwoDates() {
        let date = "Thu, 01 Jan 2026 00:00:00 GMT"
        func outcome(_ headers: [String], _ head: String) -> Conditional.Outcome {
            let request = RequestSample("GET", "/", headers)
            let stored = ByteBuffer("HTTP/1.1 200 OK\r\n\(head)")
            return Conditional.evaluate(
                request.head, request.buffer.span, status: 200, head: stored.span, nowSeconds: 1_767_225_600)
        }
        #expect(outcome(["If-Modified-Since: \(date)"], "Last-Modified: \(date)\r\n") == .notModified)
        #expect(outcome(["If-Modified-Since: \(date)"], "") == .whole)
        #expect(outcome(["If-Modified-Since: 0"], "Last-Modified: \(date)\r\n") == .whole)
        #expect(outcome(["If-Modified-Since: \(date)"], "Last-Modified: 0\r\n") == .whole)
        #expect(
            outcome(
                ["If-Modified-Since: \(date)", "If-Modified-Since: \(date)"], "Last-Modified: \(date)\r\n")
                == .whole)
    }

    // RFC 9211.
    @Test func cacheStatusIsWritten() {
        func hit(_ form: Policy.CacheStatus, key: String = #"example.com/a"\é"#) -> String {
            var head = ByteBuffer(capacity: 64)
            let key = ByteBuffer(key)
            CacheStatus.appendHit(ttlSeconds: 30, key: key.span, form, to: &head)
            return head.span.string
        }
        #expect(hit(.full) == "Cache-Status: larder; hit; ttl=30\r\n")
        #expect(hit(.brief) == "Cache-Status: larder; hit; ttl=30\r\n")
        #expect(hit(.none) == "")
        #expect(hit(.debug) == "Cache-Status: larder; hit; ttl=30; key=\"example.com/a\\\"\\\\??\"\r\n")

        func forward(_ form: Policy.CacheStatus, _ why: ForwardReason, stored: Bool, _ detail: Reason?) -> String
        {
            var head = ByteBuffer(capacity: 64)
            let key = ByteBuffer("example.com/a")
            CacheStatus.appendForward(why, stored: stored, detail: detail, key: key.span, form, to: &head)
            return head.span.string
        }
        #expect(forward(.full, .miss, stored: true, nil) == "Cache-Status: larder; fwd=miss; stored\r\n")
        #expect(
            forward(.full, .stale, stored: false, .setCookie)
                == "Cache-Status: larder; fwd=stale; detail=set-cookie\r\n")
        #expect(forward(.brief, .bypass, stored: false, .method) == "Cache-Status: larder; fwd=bypass\r\n")
        #expect(forward(.none, .miss, stored: true, nil) == "")
        var lines = ByteBuffer(capacity: 64)
        let key = ByteBuffer("k")
        for left in [0, -7] as [Int64] {
            CacheStatus.appendHit(ttlSeconds: left, key: key.span, .brief, to: &lines)
        }
        for served in [
            .collapsed(.miss), .revalidated(.request), .refused(.stale), .insteadOf(503, .stale),
            .insteadOf(0, .stale),
        ] as [CacheStatus.Served] {
            CacheStatus.appendHit(
                served, ttlSeconds: 9, key: key.span, detail: .clientRefresh, .full, to: &lines)
        }
        CacheStatus.appendHit(ttlSeconds: 7, key: key.span, .none, to: &lines)
        let text = lines.span.string
        #expect(
            text == "Cache-Status: larder; hit; ttl=0\r\nCache-Status: larder; hit; ttl=-7\r\n"
                + "Cache-Status: larder; fwd=miss; collapsed; ttl=9; detail=client-refresh\r\n"
                + "Cache-Status: larder; fwd=request; fwd-status=304; stored; ttl=9; detail=client-refresh\r\n"
                + "Cache-Status: larder; fwd=stale; fwd-status=304; detail=client-refresh\r\n"
                + "Cache-Status: larder; fwd=stale; fwd-status=503; ttl=9; detail=client-refresh\r\n"
                + "Cache-Status: larder; fwd=stale; ttl=9; detail=client-refresh\r\n")
        #expect(
            forward(.debug, .request, stored: false, .vary)
                == "Cache-Status: larder; fwd=request; detail=vary; key=\"example.com/a\"\r\n")
    }
}
