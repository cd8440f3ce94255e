/// Response heads: framing by RFC 9112 §6.3, every refusal, and each head cut at every place.
import Bytes
import HTTP
import Testing

struct ResponseHeadTests {
    @Test func everyPartOfAResponseHeadIsRead() {
        let bytes = latin1("HTTP/1.1 404 Not  \u{e9} Found\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc")
        let parsed = parseResponse(bytes)
        #expect(parsed.result == .complete(bytes.count - 3))
        #expect(
            parsed.text == [
                "404", "Not  \u{fffd} Found", "1", "Server=x (server)", "Content-Length=3 (contentLength)",
            ])
        #expect(parsed.framing == .length(3))
    }

    @Test(arguments: [
        "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 599 \t \r\n\r\n",
    ])
    func aStatusLineIsRead(_ text: String) {
        #expect(parseResponse(latin1(text)).result == .complete(text.utf8.count))
    }

    /// RFC 9112 §5.1: a proxy removes the white space from a response, and refuses it in a request.
    @Test func whiteSpaceBeforeTheColonIsRemoved() {
        let lines = "A : b\r\nCache-Control\t \t:max-age=1\r\nc:d\r\nX_y : \r\nETag : \"e\" \r\n"
        let parsed = parseResponse(latin1("HTTP/1.1 200 OK\r\n\(lines)\r\n"))
        #expect(
            parsed.text.dropFirst(3) == [
                "A=b (other)", "Cache-Control=max-age=1 (cacheControl)", "c=d (other)", "X_y= (other)",
                "ETag=\"e\" (etag)",
            ])
        let request = parseRequest(latin1("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n"))
        #expect(request.result == .refused(.fieldLine))
    }

    struct Framing: Sendable {
        var method: HTTP.Method = .get
        var status: Int
        var lines = ""
        var version = "1.1"
        var framing: BodyFraming
        var keepAlive: Bool
    }

    @Test(arguments: [
        Framing(status: 200, framing: .untilClose, keepAlive: false),
        Framing(status: 200, lines: "Content-Length: 4\r\n", framing: .length(4), keepAlive: true),
        Framing(status: 200, lines: "Content-Length: 0\r\n", framing: .length(0), keepAlive: true),
        Framing(status: 200, lines: "Transfer-Encoding: chunked\r\n", framing: .chunked, keepAlive: true),
        Framing(
            status: 200, lines: "Content-Length: 4\r\nConnection: close\r\n", framing: .length(4),
            keepAlive: false),
        Framing(
            status: 200, lines: "Content-Length: 4\r\n", version: "1.0", framing: .length(4), keepAlive: false
        ),
        Framing(
            status: 200, lines: "Content-Length: 4\r\nConnection: keep-alive\r\n", version: "1.0",
            framing: .length(4), keepAlive: true),
        Framing(status: 200, version: "1.0", framing: .untilClose, keepAlive: false),
        Framing(method: .head, status: 200, framing: .none, keepAlive: true),
        Framing(method: .head, status: 200, lines: "Content-Length: 4\r\n", framing: .none, keepAlive: true),
        Framing(
            method: .head, status: 200, lines: "Transfer-Encoding: chunked\r\n", framing: .none,
            keepAlive: true),
        Framing(status: 304, lines: "Content-Length: 4\r\n", framing: .none, keepAlive: true),
        Framing(status: 304, lines: "Transfer-Encoding: chunked\r\n", framing: .none, keepAlive: true),
        Framing(status: 204, framing: .none, keepAlive: true),
        Framing(status: 204, lines: "Content-Length: 0\r\n", framing: .none, keepAlive: true),
        Framing(status: 204, lines: "Content-Length: 4\r\n", framing: .none, keepAlive: false),
        Framing(status: 204, lines: "Transfer-Encoding: chunked\r\n", framing: .none, keepAlive: false),
        Framing(status: 100, framing: .none, keepAlive: true),
        Framing(status: 103, lines: "Link: x\r\n", framing: .none, keepAlive: true),
        Framing(
            status: 101, lines: "Upgrade: websocket\r\nConnection: upgrade\r\n", framing: .none,
            keepAlive: true),
        Framing(status: 205, framing: .untilClose, keepAlive: false),
        Framing(
            method: .post, status: 201, lines: "Content-Length: 1\r\n", framing: .length(1), keepAlive: true),
    ])
    func framingFollowsTheFields(_ framing: Framing) {
        let bytes = latin1("HTTP/\(framing.version) \(framing.status) x\r\n\(framing.lines)\r\n")
        let parsed = parseResponse(bytes, method: framing.method)
        #expect(parsed.result == .complete(bytes.count))
        #expect(parsed.framing == framing.framing)
        #expect(parsed.flags.first == framing.keepAlive)
    }

    @Test(arguments: ResponseCorpus.refused)
    func aMalformedHeadIsRefused(_ text: String, _ refusal: BrokenRule) {
        #expect(parseResponse(latin1(text)).result == .refused(refusal))
    }

    @Test(arguments: ["X", "HTTQ", "\r", "http/1.1", "\0", "ICY 200 OK"])
    func garbageIsRefusedAtOnce(_ text: String) {
        #expect(parseResponse(latin1(text)).result == .refused(.requestLine))
    }

    @Test(arguments: ResponseCorpus.all)
    func aHeadReadsTheSameHoweverItIsCut(_ text: String) {
        let bytes = latin1(text)
        let whole = parseResponse(bytes)
        for cut in 0...bytes.count {
            #expect(parseResponse(bytes, cuts: [cut]) == whole, "cut at \(cut)")
            let prefix = parseResponse(Array(bytes.prefix(cut))).result
            #expect(prefix == .needMore || prefix == whole.result, "prefix of \(cut)")
            if case .complete(let length) = whole.result { #expect((prefix == .needMore) == (cut < length)) }
        }
        #expect(parseResponse(bytes, cuts: Array(0...bytes.count)) == whole, "byte by byte")
    }

    @Test func aHeadAboveItsLimitsIsRefused() {
        let small = HeadLimits(head: 48, fields: 1)
        for drip in [false, true] {
            let result = { (text: String) in
                let bytes = latin1(text)
                return parseResponse(bytes, cuts: drip ? Array(0...bytes.count) : [], limits: small).result
            }
            #expect(result("HTTP/1.1 200 \(String(repeating: "x", count: 50))") == .refused(.headTooLarge))
            #expect(
                result("HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: 50))")
                    == .refused(.headTooLarge))
            #expect(result("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n") == .refused(.headTooLarge))
            #expect(result("HTTP/1.1 200 OK\r\nA: b\r\n\r\n") == .complete(25))
        }
    }
}

enum ResponseCorpus {
    static let refused: [(String, BrokenRule)] =
        [
            ("HTTP/1.1\r\n", .requestLine), ("HTTP/1.1 \r\n", .requestLine),
            ("HTTP/1.1 20\r\n", .requestLine), ("HTTP/1.1 2000 OK\r\n", .requestLine),
            ("HTTP/1.1 099 x\r\n", .requestLine), ("HTTP/1.1 600 x\r\n", .requestLine),
            ("HTTP/1.1 2x0 x\r\n", .requestLine),
            ("HTTP/1.1  200 OK\r\n", .requestLine), ("HTTP/1.1\t200 OK\r\n", .requestLine),
            ("HTTP/1.1 200\tOK\r\n", .requestLine),
            ("HTTP/1.1 200OK\r\n", .requestLine), ("HTTP/1.1 +20 OK\r\n", .requestLine),
            ("HTTP/1.1200 OK\r\n", .requestLine),
            ("HTTP/2 200\r\n", .requestLine), ("HTTP/1 200 OK\r\n", .requestLine),
            ("HTTP/ 200 OK\r\n", .requestLine),
            ("HTTP/2.0 200 OK\r\n", .version), ("HTTP/1.2 200 OK\r\n", .version),
            ("HTTP/0.9 200 OK\r\n", .version),
            ("HTTP/1.10 200 OK\r\n", .requestLine), ("HTTP/1.1 200 O\0K\r\n", .requestLine),
            ("HTTP/1.1 200 O\u{7f}\r\n", .requestLine),
            ("HTTP/1.1 200 OK\n\n", .bareLineBreak), ("HTTP/1.1 200 O\rK\r\n", .bareLineBreak),
            ("HTTP/1.1 200 OK\r\r\n", .bareLineBreak),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n", .requestLine), ("\nHTTP/1.1 200 OK\r\n\r\n", .bareLineBreak),
            (" HTTP/1.1 200 OK\r\n", .requestLine),
            ("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", .fieldLine),
            // White space before the colon together with another fault, or in a field that frames the
            // response.
            ("HTTP/1.1 200 OK\r\n : b\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nA \r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nA \u{b}: b\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nA \n: b\r\n\r\n", .bareLineBreak),
            ("HTTP/1.1 200 OK\r\nA \r\n : b\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx", .fieldLine),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding\t: chunked\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nConnection : close\r\n\r\n", .fieldLine),
            ("HTTP/1.1 101 OK\r\nUpgrade : websocket\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", .fieldValue),
            ("HTTP/1.1 200 OK\r\nA: b\n\r\n", .bareLineBreak),
            ("HTTP/1.1 200 OK\r\nA: b\r\n\n", .bareLineBreak),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", .fieldLine),
        ] + framing.map { ("HTTP/1.1 200 OK\r\n\($0)\r\n", .framing) } + [
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .framing),
            ("HTTP/1.1 304 x\r\nContent-Length: x\r\n\r\n", .framing),
            ("HTTP/1.1 204 x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .framing),
        ]

    static let framing = [
        "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: -1\r\n", "Content-Length:\r\n", "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 1 \"\"\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, x\r\n",
    ]

    static let all =
        refused.map(\.0) + [
            "HTTP/1.1 200 OK\r\nA : b\r\nC-d\t \t:\te\r\nF\t:\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 404 \r\nA: b\r\nContent-Length: 12\r\n\r\nbody",
            "HTTP/1.1 304\r\nEtag: \"x\"\r\nVary: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n0\r\n\r\n",
        ]
}
