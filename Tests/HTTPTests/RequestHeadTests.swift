/// Request heads: every form that is read, every form that is refused and why, each cut at every place.
import Bytes
import HTTP
import Testing

struct RequestHeadTests {
    @Test func everyPartOfARequestHeadIsRead() {
        let text =
            "POST /a/b?x=1&y HTTP/1.1\r\nHost: Ex.com:8080\r\nX-Odd!#$%&'*+.^_`|~:\t v\u{e9} \"q\" \t\r\n"
            + "content-length: 12\r\nEmpty:\r\nTabs_2: a\t\tb\t0123456789abcdef\tc\t \r\n\r\nbody"
        let bytes = latin1(text)
        let parsed = parseRequest(bytes)
        #expect(parsed.result == .complete(bytes.count - 4))
        #expect(parsed.framing == .length(12))
        #expect(
            parsed.text == [
                "post", "POST", "/a/b?x=1&y", "origin", "/a/b", "x=1&y", "Ex.com:8080", "Ex.com", "8080", "1",
                "Host=Ex.com:8080 (host)", "X-Odd!#$%&'*+.^_`|~=v\u{fffd} \"q\" (other)",
                "content-length=12 (contentLength)",
                "Empty= (other)", "Tabs_2=a\t\tb\t0123456789abcdef\tc (other)",
            ])
    }

    @Test(arguments: [
        ("GET", "get"), ("HEAD", "head"), ("POST", "post"), ("PUT", "put"), ("DELETE", "delete"),
        ("OPTIONS", "options"),
        ("PATCH", "patch"), ("get", "other"), ("PURGE", "other"), ("PROPPATCH", "other"),
        ("GETGETGET", "other"), ("M-SEARCH", "other"),
    ])
    func methodsAreRead(_ name: String, _ method: String) {
        let parsed = parseRequest(latin1("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(parsed.text.first == method)
    }

    struct Target: Sendable {
        var line: String, form: String, path: String, query: String?, authority: String
        var host = "h.example"
    }

    @Test(arguments: [
        Target(line: "GET /", form: "origin", path: "/", query: nil, authority: "h.example"),
        Target(line: "GET /?", form: "origin", path: "/", query: "", authority: "h.example"),
        Target(line: "GET /a?b?c", form: "origin", path: "/a", query: "b?c", authority: "h.example"),
        Target(
            line: "GET //x/%2e%2E/\\;^", form: "origin", path: "//x/%2e%2E/\\;^", query: nil,
            authority: "h.example"),
        Target(line: "GET http://h.example", form: "absolute", path: "", query: nil, authority: "h.example"),
        Target(
            line: "GET HTTP://H.Example/p?q", form: "absolute", path: "/p", query: "q", authority: "H.Example"
        ),
        Target(
            line: "GET http://h.example?q", form: "absolute", path: "", query: "q", authority: "h.example"),
        Target(
            line: "GET http://h.example:80/", form: "absolute", path: "/", query: nil,
            authority: "h.example:80"),
        Target(
            line: "GET https://h.example:443/", form: "absolute", path: "/", query: nil,
            authority: "h.example:443"),
        Target(
            line: "GET http://h:81/", form: "absolute", path: "/", query: nil, authority: "h:81", host: "H:81"
        ),
        Target(
            line: "GET http://[::1]:8/", form: "absolute", path: "/", query: nil, authority: "[::1]:8",
            host: "[::1]:8"),
        Target(line: "OPTIONS *", form: "asterisk", path: "", query: nil, authority: "h.example"),
        Target(line: "OPTIONS /*", form: "origin", path: "/*", query: nil, authority: "h.example"),
    ])
    func targetsAreRead(_ target: Target) {
        let parsed = parseRequest(latin1("\(target.line) HTTP/1.1\r\nHost: \(target.host)\r\n\r\n"))
        guard case .complete = parsed.result else {
            Issue.record("\(target.line): \(parsed.result)")
            return
        }
        #expect(parsed.text[3...6] == [target.form, target.path, target.query ?? "", target.authority])
        #expect(parsed.flags[0] == (target.query != nil))
        #expect(parsed.flags[6] == target.line.contains("https:"))
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: Close\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive, x\r\nconnection: ,, CLOSE\r\n", false),
        ("HTTP/1.1", "Connection: closed\r\n", true),
        ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.0", "Proxy-Connection: keep-alive\r\n", false),
        ("HTTP/1.1", "Proxy-Connection: close\r\n", true),
    ])
    func persistenceFollowsVersionAndConnection(_ version: String, _ lines: String, _ keepAlive: Bool) {
        let parsed = parseRequest(latin1("GET / \(version)\r\nHost: a\r\n\(lines)\r\n"))
        #expect(parsed.flags.count > 1 && parsed.flags[1] == keepAlive)
    }

    @Test func expectAndUpgradeAreRead() {
        let flags = { (text: String) in Array(parseRequest(latin1(text)).flags[2...3]) }
        #expect(
            flags("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n") == [
                true, false,
            ])
        #expect(
            flags("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") == [
                false, false,
            ])
        let upgrade = "Upgrade: WebSocket\r\nConnection: Upgrade\r\n"
        #expect(flags("GET / HTTP/1.1\r\nHost: a\r\n\(upgrade)\r\n") == [false, true])
        #expect(flags("GET / HTTP/1.0\r\nHost: a\r\n\(upgrade)\r\n") == [false, false])
        #expect(flags("POST / HTTP/1.1\r\nHost: a\r\n\(upgrade)\r\n") == [false, false])
        #expect(flags("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\(upgrade)\r\n") == [false, false])
        #expect(flags("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n") == [false, false])
        #expect(
            flags("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket, h2c\r\nConnection: upgrade\r\n\r\n") == [
                false, false,
            ])
        #expect(flags("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\(upgrade)\r\n") == [false, false])
    }

    @Test(arguments: [
        ("", BodyFraming.none), ("Content-Length: 0\r\n", .length(0)),
        ("Content-Length:  007\t\r\n", .length(7)),
        ("Content-Length: 9223372036854775807\r\n", .length(9_223_372_036_854_775_807)),
        ("Transfer-Encoding: chunked\r\n", .chunked), ("tRANSFER-eNCODING: \tChunKED \r\n", .chunked),
    ])
    func framingFollowsTheFields(_ lines: String, _ framing: BodyFraming) {
        #expect(parseRequest(latin1("POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")).framing == framing)
    }

    @Test(arguments: RequestCorpus.refused)
    func aMalformedHeadIsRefused(_ text: String, _ refusal: BrokenRule) {
        #expect(parseRequest(latin1(text)).result == .refused(refusal))
    }

    @Test(arguments: RequestCorpus.refusedFields)
    func aMalformedFieldIsRefused(_ lines: String, _ refusal: BrokenRule) {
        #expect(parseRequest(latin1("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")).result == .refused(refusal))
        // The bytes after the broken line are not needed to refuse it, if the line itself is at fault.
        guard [.bareLineBreak, .fieldLine, .fieldValue].contains(refusal) else { return }
        #expect(parseRequest(latin1("GET / HTTP/1.1\r\nHost: a\r\n\(lines)")).result == .refused(refusal))
    }

    @Test(arguments: RequestCorpus.refusedHosts)
    func aMalformedHostIsRefused(_ host: String) {
        #expect(parseRequest(latin1("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")).result == .refused(.host))
    }

    @Test(arguments: [
        "a", "A-1._~", "1.2.3.4", "[::1]", "[::ffff:1.2.3.4]:65535", "a:1", "a.:443", "a:", "xn--a",
    ])
    func aHostIsRead(_ host: String) {
        let parsed = parseRequest(latin1("GET / HTTP/1.0\r\nHost: \(host)\r\n\r\n"))
        #expect(parsed.text.count > 6 && parsed.text[6] == host)
    }

    @Test(arguments: [
        ("\u{16}", BrokenRule.requestLine), ("\u{16}\u{3}\u{1}", .requestLine), ("(", .requestLine),
        (" ", .requestLine), ("\0", .requestLine),
        ("\u{80}", .requestLine), ("GE\t", .requestLine), ("\r\n\r", .requestLine), ("\n", .bareLineBreak),
        ("\rG", .bareLineBreak),
        ("\r\n\n", .bareLineBreak),
    ])
    func garbageIsRefusedAtOnce(_ text: String, _ refusal: BrokenRule) {
        let bytes = latin1(text)
        #expect(parseRequest(bytes).result == .refused(refusal))
        #expect(parseRequest(bytes, cuts: Array(0...bytes.count)).result == .refused(refusal))
    }

    @Test func bytesAreNotScannedTwice() {
        // Byte by byte through 60 KB: quadratic work would take minutes.
        let limits = HeadLimits(head: 65_535, fields: 128)
        for start in ["", "GET /", "GET / HTTP/1.1\r\nA: "] {
            let bytes = latin1(start + String(repeating: "a", count: 60_000))
            var head = RequestHead()
            var scan = HeadScan()
            for end in 0...bytes.count {
                let result = head.parse(bytes.span.extracting(first: end), limits: limits, scan: &scan)
                if result != .needMore { Issue.record("\(result) at \(end)") }
            }
        }
    }

    @Test(arguments: RequestCorpus.all)
    func aHeadReadsTheSameHoweverItIsCut(_ text: String) {
        let bytes = latin1(text)
        let whole = parseRequest(bytes)
        for cut in 0...bytes.count {
            #expect(parseRequest(bytes, cuts: [cut]) == whole, "cut at \(cut)")
            let prefix = parseRequest(Array(bytes.prefix(cut))).result
            #expect(prefix == .needMore || prefix == whole.result, "prefix of \(cut)")
            if case .complete(let length) = whole.result { #expect((prefix == .needMore) == (cut < length)) }
        }
        #expect(parseRequest(bytes, cuts: Array(0...bytes.count)) == whole, "byte by byte")
    }

    @Test func aHeadAboveItsLimitsIsRefused() {
        let small = HeadLimits(head: 64, fields: 2)
        let result = { (text: String) in parseRequest(latin1(text), limits: small).result }
        let drip = { (text: String) in
            let bytes = latin1(text)
            return parseRequest(bytes, cuts: Array(0...bytes.count), limits: small).result
        }
        let target = String(repeating: "a", count: 80)
        for parse in [result, drip] {
            // RFC 9112 §3: 501 for the method, 414 for the target, 400 for the rest of the line. RFC 6585 §5:
            // 431 for fields.
            #expect(parse(target) == .refused(.method))
            #expect(parse("\(target) / HTTP/1.1\r\nHost: a\r\n\r\n") == .refused(.method))
            #expect(parse("\r\n\(target)") == .refused(.method))
            #expect(parse("GET / \(target)") == .refused(.requestLine))
            #expect(parse("GET http://\(target)") == .refused(.targetTooLong))
            #expect(parse("GET /\(target)") == .refused(.targetTooLong))
            #expect(parse("GET /\(target) HTTP/1.1\r\nHost: a\r\n\r\n") == .refused(.targetTooLong))
            #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nA: \(target)") == .refused(.headTooLarge))
            #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nA: \(target)\r\n\r\n") == .refused(.headTooLarge))
            #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n") == .refused(.headTooLarge))
            #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n") == .complete(33))
            // 64 bytes exactly fit; 65 don't.
            let padding = String(repeating: "x", count: 64 - 31)
            #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nA:\(padding)\r\n\r\n") == .complete(64))
            #expect(parse("GET / HTTP/1.1\r\nHost: a\r\nA:\(padding)x\r\n\r\n") == .refused(.headTooLarge))
        }
    }

    @Test(arguments: [
        (BrokenRule.method, 501), (.targetTooLong, 414), (.headTooLarge, 431), (.trailers, 431),
        (.bodyTooLarge, 413),
        (.version, 505), (.requestLine, 400), (.host, 400), (.chunk, 400),
    ])
    func eachRefusalHasItsStatus(_ refusal: BrokenRule, _ status: Int) { #expect(refusal.status == status) }

    @Test func theLargestHeadIsRead() {
        let limits = HeadLimits(head: 65_535, fields: 128)
        var text = "GET / HTTP/1.1\r\nHost: a\r\n"
        for index in 0..<126 { text += "F\(index): x\r\n" }
        let padding = 65_535 - text.utf8.count - 6
        text += "L:" + String(repeating: "y", count: padding) + "\r\n\r\n"
        #expect(parseRequest(latin1(text), limits: limits).result == .complete(65_535))
        #expect(parseRequest(latin1("\r\n" + text), limits: limits).result == .refused(.headTooLarge))
    }

    @Test func oneHeadIsReused() {
        var head = RequestHead()
        var scan = HeadScan()
        let first = latin1("GET http://a/?q HTTP/1.0\r\nA: b\r\n\r\n")
        let second = latin1("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(head.parse(first.span, limits: roomy, scan: &scan) == .complete(first.count))
        #expect(scan.isFresh)
        #expect(head.parse(second.span, limits: roomy, scan: &scan) == .complete(second.count))
        let left = head.fields.count == 1 && !head.hasQuery && head.query.isEmpty && head.path.isEmpty
        #expect(left)
    }

    /// First lines and fields in all combinations, one after another: the head before leaves no trace.
    @Test func aHeadKeepsNothingOfTheHeadBefore() {
        let lines = [
            "GET / HTTP/1.1", "GET /longer/than?before HTTP/1.1", "GET / HTTP/1.0", "HEAD / HTTP/1.1",
            "POST / HTTP/1.1", "GET http://a:1/ HTTP/1.1", "GET http://b/ HTTP/1.1", "OPTIONS * HTTP/1.1",
            "GET /# HTTP/1.1", "\r\nGET / HTTP/1.1",
        ]
        let fields = [
            "Host: a\r\n", "Host: a:1\r\n", "Host: A:1\r\n", "", "Host: a\r\nHost: a\r\n",
            "Accept: x\r\nHost: b:80\r\nConnection: close\r\n", "Host: a\r\nContent-Length: 2\r\n",
            "Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nExpect: 100-continue\r\n",
            "Host: a\r\nA: \(String(repeating: "y", count: 1_100))\r\n", "Host: a\r\nA: b\r\nA: c\r\n",
        ]
        let heads = lines.flatMap { line in fields.map { latin1("\(line)\r\n\($0)\r\n") } }
        let alone = heads.map { parseRequest($0) }
        var crowded = RequestHead()
        for first in heads.indices {
            for second in heads.indices {
                var head = RequestHead()
                for index in [first, second, first] {
                    #expect(parseRequest(heads[index], into: &head) == alone[index], "\(first), \(second)")
                }
                #expect(parseRequest(heads[second], into: &crowded) == alone[second])
            }
            let halves = [heads[first].count / 2, heads[first].count - 1]
            #expect(parseRequest(heads[first], into: &crowded, cuts: halves) == alone[first])
        }
        // Bounds are those of the current head.
        let one = latin1("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n")
        var head = RequestHead()
        for limits in [roomy, HeadLimits(head: 36, fields: 9), HeadLimits(head: 99, fields: 1), roomy] {
            let result = parseRequest(one, into: &head, limits: limits).result
            #expect(result == parseRequest(one, limits: limits).result)
        }
    }
}
