// Bodies that the origin coded: undone for who cannot take them, and what each client is told of that.

import Proxy
import ProxyHarness
import Store
import Testing

struct CodedOriginTests {
    private static let gzip = "Accept-Encoding: gzip"

    private static func coded(_ body: String, _ fields: String...) -> [UInt8] {
        let bytes = deflated(body)
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nETag: \"v1\"\r\n"
            + "Content-Length: \(bytes.count)\r\n" + fields.map { "\($0)\r\n" }.joined() + "\r\n"
        return Array(head.utf8) + bytes
    }

    private static func servesCoded(_ answer: [UInt8]) throws -> ScriptedOrigin {
        try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil { try peer.send(answer) }
        }
    }

    @Test func whatTheOriginCodedIsDecodedForWhoCannotTakeIt() throws {
        let origin = try Self.servesCoded(Self.coded(CompressionTests.page, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            let miss = try stage.ask("GET", "/", Self.gzip)
            #expect(miss["etag"] == "\"v1\"" && inflated(miss.body) == CompressionTests.page)
            for _ in 0..<2 {
                let plain = try stage.ask("GET", "/")
                #expect(plain.text == CompressionTests.page && plain["content-encoding"] == nil)
                #expect(
                    plain["content-length"] == "\(CompressionTests.page.utf8.count)"
                        && plain["etag"] == "W/\"v1\"")
                #expect(plain.cacheStatus.hasPrefix("hit"))
            }
            #expect(origin.requests.count == 1 && stage.store.statistics.inserted == 2)
            // Who takes the coding still gets it.
            #expect(try stage.ask("GET", "/", Self.gzip).body == miss.body)
        }
    }

    @Test func whatMayNotBeTransformedIsNotDecoded() throws {
        let origin = try Self.servesCoded(
            Self.coded(CompressionTests.page, "Cache-Control: max-age=60, no-transform"))
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/", Self.gzip)
            let plain = try stage.ask("GET", "/")
            #expect(plain["content-encoding"] == "gzip" && origin.requests.count == 2)
        }
    }

    /// A few bytes that stand for very many: no more is decoded than the client takes.
    @Test func aStreamThatExpandsWaitsForItsClient() throws {
        let zeros = String(repeating: "0", count: 32 << 20)
        let origin = try Self.servesCoded(Self.coded(zeros, "Cache-Control: no-store"))
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            try stage.turn()
            let answer = try client.receiveAnswer()
            #expect(answer["content-encoding"] == nil && answer.isWhole && answer.body.count == 32 << 20)
        }
    }

    @Test func damagedCodingIsNeverShownAsWhole() throws {
        var answer = Self.coded(CompressionTests.page, "Cache-Control: no-store")
        answer[answer.count - 2] ^= 1
        let origin = try Self.servesCoded(answer)
        try withStage(origin) { stage in
            // An error where it is seen before the head is sent.
            let answer = try stage.ask("GET", "/")
            #expect(answer.status == 502 || !answer.isWhole)
        }
    }

    /// Without a byte of gzip there is nothing to undo: an answer without a body is no damaged one.
    @Test(arguments: ["Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
    func anEmptyBodyIsPassedAsEmpty(ending: String) throws {
        let head = "HTTP/1.1 301 Moved\r\nLocation: /there\r\nContent-Encoding: gzip\r\n"
        let origin = try ScriptedOrigin(answering: { request in
            head + (request.target == "/stored" ? "Cache-Control: max-age=60\r\n" : "") + ending
        })
        try withStage(origin) { stage in
            for target in ["/passed", "/passed", "/stored", "/stored"] {
                let answer = try stage.ask("GET", target)
                #expect(answer.status == 301 && answer["location"] == "/there")
                #expect(answer.isWhole && answer.body.isEmpty && answer["content-encoding"] == nil)
            }
            #expect(origin.requests.count == 3)
        }
    }

    @Test func aHeadIsAnsweredAsAGetWouldBe() throws {
        let answer = Self.coded("", "Cache-Control: no-store")
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                try peer.send(
                    Array(answer.prefix(answer.firstRange(of: Array("\r\n\r\n".utf8), from: 0) ?? 0)))
            }
        }
        try withStage(origin) { stage in
            let plain = try stage.ask("HEAD", "/")
            #expect(plain.status == 200 && plain["content-encoding"] == nil && plain["content-length"] == nil)
            #expect(plain["etag"] == "W/\"v1\"" && plain["vary"] == "Accept-Encoding")
            let coded = try stage.ask("HEAD", "/", Self.gzip)
            #expect(coded["content-encoding"] == "gzip" && coded["vary"] == "Accept-Encoding")
            #expect(coded["etag"] == "\"v1\"")
        }
    }

    /// Who gets it as it is gets it by its Accept-Encoding all the same (RFC 9110 §12.5.5).
    @Test(arguments: ["max-age=60", "no-store"])
    func whatIsUndoneForOthersSaysThatItVaries(control: String) throws {
        let origin = try Self.servesCoded(Self.coded(CompressionTests.page, "Cache-Control: \(control)"))
        try withStage(origin) { stage in
            for field in [Self.gzip, "Accept: */*", Self.gzip] {
                let answer = try stage.ask("GET", "/", field)
                #expect(answer["vary"] == "Accept-Encoding", "\(field)")
            }
        }
    }

    @Test func whatIsNeverUndoneDoesNot() throws {
        let origin = try Self.servesCoded(Self.coded("text", "Cache-Control: max-age=60, no-transform"))
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/", Self.gzip)
                #expect(answer["vary"] == nil)
            }
        }
    }

    @Test func aRenewedEntryStillSaysThatItVaries() throws {
        let bytes = Self.coded(CompressionTests.page, "Cache-Control: max-age=1")
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                if request["if-none-match"] == nil {
                    try peer.send(bytes)
                } else {
                    try peer.send("HTTP/1.1 304 Same\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n\r\n")
                }
            }
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/", Self.gzip)
            clock.advance(milliseconds: 5_000)
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/", Self.gzip)
                #expect(answer["vary"] == "Accept-Encoding" && answer["content-encoding"] == "gzip")
            }
            #expect(origin.requests.count == 2)
        }
    }

    /// Another coding has the same date: what is left of it does not go with the beginning of this one.
    @Test func aRangeByDateIsNotOfAnotherCoding() throws {
        let dated = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"
        let text = cacheable(CompressionTests.page, "Content-Type: text/html", dated)
        let plain = cacheable(CompressionTests.page, "Content-Type: image/png", dated)
        let origin = try ScriptedOrigin(answering: { $0.target == "/text" ? text : plain })
        try withStage(origin) { stage in
            let resume = "Range: bytes=10-19\r\nIf-Range: Thu, 01 Jan 2015 00:00:00 GMT"
            for (target, status) in [("/text", 200), ("/plain", 206)] {
                _ = try stage.ask("GET", target, Self.gzip)
                let coded = try stage.ask("GET", target, Self.gzip, resume)
                let plain = try stage.ask("GET", target, resume)
                #expect(coded.status == status && plain.status == status)
            }
            #expect(origin.requests.count == 2)
        }
    }

    /// Its fields are those of the 200 that this request would get (RFC 9110 §15.4.5).
    @Test func a304OnAMissNamesTheCodingThatTheClientHolds() throws {
        let origin = try Self.servesCoded(Self.coded(CompressionTests.page, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            let answer = try stage.ask("GET", "/", "If-None-Match: W/\"v1\"")
            #expect(answer.status == 304 && answer["etag"] == "W/\"v1\"")
            #expect(answer["vary"] == "Accept-Encoding")
            // And from the store.
            let hit = try stage.ask("GET", "/", "If-None-Match: W/\"v1\"")
            #expect(hit.status == 304 && hit["etag"] == "W/\"v1\"" && hit["vary"] == "Accept-Encoding")
        }
    }

    /// An origin's own 304: it knows nothing of our codings, and often not even the type that they go by.
    @Test(arguments: [
        ("If-None-Match: W/\"v1\"", "W/\"v1\"", "Accept-Encoding"),
        ("If-None-Match: \"v0\", W/\"v1\"", "W/\"v1\"", "Accept-Encoding"),
        ("If-None-Match: \"v1\"", "\"v1\"", nil),
        ("If-None-Match: W/\"v1\", \"v1\"", "\"v1\"", nil),
        ("If-None-Match: W/\"v1\"\r\nIf-None-Match: \"v1\"", "\"v1\"", nil),
        ("If-None-Match: *", "\"v1\"", nil),
    ])
    func a304ThatIsPassedOnNamesTheTagThatTheClientHolds(
        asks: String, tag: String, vary: String?
    ) throws {
        let head = "Cache-Control: no-cache\r\nETag: \"v1\"\r\nContent-Type: text/html\r\n"
        let origin = try ScriptedOrigin(answering: { request in
            request["if-none-match"] == nil
                ? "HTTP/1.1 200 OK\r\n\(head)Content-Length: 1500\r\n\r\n"
                    + String(CompressionTests.page.prefix(1500))
                : "HTTP/1.1 304 Same\r\nCache-Control: no-cache\r\nETag: \"v1\"\r\n\r\n"
        })
        try withStage(origin) { stage in
            let whole = try stage.ask("GET", "/", Self.gzip)
            #expect(whole["etag"] == "W/\"v1\"" && whole["vary"] == "Accept-Encoding")
            // By now it is known not to be storable; a cookie alone has a condition passed on as well.
            for field in [Self.gzip, Self.gzip + "\r\nAuthorization: Basic x"] {
                let answer = try stage.ask("GET", "/", field, asks)
                #expect(answer.status == 304 && answer["etag"] == tag && answer["vary"] == vary)
            }
            #expect(origin.requests.count == 3)
        }
    }
}
