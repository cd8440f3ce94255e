// Bodies with a content coding of the origin's: Larder decodes them for clients that do not accept the
// coding. Also: what each client is told.

import DataPlane
import DataPlaneHarness
import Store
import Testing

struct CodedOriginTests {
    private static let gzip = "Accept-Encoding: gzip"
    private static let identity = "Accept-Encoding: identity"

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

    @Test func aCodedBodyIsDecodedForAClientThatDoesNotAcceptIt() throws {
        let origin = try Self.servesCoded(Self.coded(CompressionTests.page, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            let miss = try stage.ask("GET", "/", Self.gzip)
            #expect(miss["etag"] == "\"v1\"" && inflated(miss.body) == CompressionTests.page)
            for _ in 0..<2 {
                let plain = try stage.ask("GET", "/", Self.identity)
                #expect(plain.text == CompressionTests.page && plain["content-encoding"] == nil)
                #expect(
                    plain["content-length"] == "\(CompressionTests.page.utf8.count)"
                        && plain["etag"] == "W/\"v1\"")
                #expect(plain.cacheStatus.hasPrefix("hit"))
            }
            #expect(origin.requests.count == 1 && stage.store.statistics.inserted == 2)
            // A client that accepts the coding still gets it.
            #expect(try stage.ask("GET", "/", Self.gzip).body == miss.body)
        }
    }

    /// A coded response that the origin sends to clients without Accept-Encoding is meant for all: the store
    /// answers them too.
    @Test func aResponseWithNoTransformIsNotDecoded() throws {
        let origin = try Self.servesCoded(
            Self.coded(CompressionTests.page, "Cache-Control: max-age=60, no-transform"))
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/", Self.gzip)
            for _ in 0..<2 {
                let plain = try stage.ask("GET", "/", Self.identity)
                #expect(plain["content-encoding"] == "gzip" && plain["etag"] == "\"v1\"")
                #expect(origin.requests.count == 2)
            }
        }
    }

    /// A few bytes that decode to very many: Larder decodes no more than the client takes.
    @Test(arguments: ["GET", "HEAD"])
    func anExpandingStreamWaitsForItsClient(method: String) throws {
        let zeros = String(repeating: "0", count: 32 << 20)
        let origin = try Self.servesCoded(Self.coded(zeros, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/", Self.gzip)
            for _ in 0..<2 {
                let client = try stage.client()
                try client.send(request(method, "/", [Self.identity]))
                try stage.turn()
                let answer = try client.receiveAnswer(toHead: method == "HEAD")
                #expect(answer["content-encoding"] == nil && answer.isWhole)
                #expect(answer["content-length"] == "\(32 << 20)" && answer["etag"] == "W/\"v1\"")
                #expect(answer.body.count == (method == "GET" ? 32 << 20 : 0))
            }
            #expect(origin.requests.count == 1)
        }
    }

    /// A damaged body is passed on unchanged, by the fetch and from the store.
    @Test(arguments: ["trailing bytes", "a wrong checksum", "cut", "no gzip", "text"])
    func aDamagedBodyIsPassedOnUnchanged(damage: String) throws {
        var bytes = deflated(CompressionTests.page)
        switch damage {
        case "trailing bytes": bytes += Array("\0\0\0\0".utf8)
        case "a wrong checksum": bytes[bytes.count - 6] ^= 1
        case "cut": bytes.removeLast(20)
        case "no gzip": bytes[0] = 0
        default: bytes = Array(CompressionTests.page.utf8)
        }
        for framing in ["Content-Length: \(bytes.count)\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
                + "Cache-Control: max-age=60\r\nETag: \"v1\"\r\n" + framing
            let isChunked = framing.hasPrefix("Transfer")
            let body =
                isChunked
                ? Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n0\r\n\r\n".utf8)
                : bytes
            let origin = try Self.servesCoded(Array(head.utf8) + body)
            try withStage(origin) { stage in
                for _ in 0..<3 {
                    let answer = try stage.ask("GET", "/", Self.identity)
                    #expect(answer.status == 200 && answer.isWhole && answer.body == bytes)
                    #expect(answer["content-encoding"] == "gzip" && answer["etag"] == "\"v1\"")
                    #expect(origin.requests.count == 1)
                }
            }
            // Stored for a client that accepts it. For another client it is fetched again and found to be
            // meant for all.
            let second = try Self.servesCoded(Array(head.utf8) + body)
            try withStage(second) { stage in
                _ = try stage.ask("GET", "/", Self.gzip)
                for _ in 0..<3 {
                    let answer = try stage.ask("GET", "/", Self.identity)
                    #expect(answer.status == 200 && answer.isWhole && answer.body == bytes)
                }
                #expect(second.requests.count == 2)
            }
        }
    }

    /// A body that turns out too large to be stored is passed on unchanged and complete.
    @Test(arguments: [60_000, 70_000, 200_000])
    func aBodyTooLargeForTheStoreIsPassedOnUnchanged(count: Int) throws {
        var random = Peer.Noise(seed: 7)
        let bytes = deflated(String((0..<count).map { _ in random.letter() }))
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
            + "Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
        let body = Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n0\r\n\r\n".utf8)
        let origin = try Self.servesCoded(Array(head.utf8) + body)
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/", Self.identity)
                let isStored = bytes.count <= 64 * 1024
                #expect(answer.status == 200 && answer.isWhole)
                #expect(answer["content-encoding"] == (isStored ? nil : "gzip"))
                #expect(isStored ? answer.body.count == count : answer.body == bytes)
            }
        }
    }

    /// A body that the origin cuts off becomes an error while no byte of the answer was sent.
    @Test func aBodyCutOffWhileHeldBackIsAnError() throws {
        let answer = Self.coded(CompressionTests.page, "Cache-Control: max-age=60")
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(Array(answer.dropLast(10)))
        }
        try withStage(origin) { stage in
            let answer = try stage.ask("GET", "/", Self.identity)
            #expect(answer.status == 502 && answer.isWhole && stage.store.statistics.objects == 0)
        }
    }

    /// An empty body stays empty: it is not a damaged gzip stream.
    @Test(arguments: ["Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
    func anEmptyBodyIsPassedAsEmpty(ending: String) throws {
        let head = "HTTP/1.1 301 Moved\r\nLocation: /there\r\nContent-Encoding: gzip\r\n"
        let origin = try ScriptedOrigin(answering: { request in
            head + (request.target == "/stored" ? "Cache-Control: max-age=60\r\n" : "") + ending
        })
        try withStage(origin) { stage in
            for target in ["/passed", "/passed", "/stored", "/stored"] {
                let answer = try stage.ask("GET", target, Self.identity)
                #expect(answer.status == 301 && answer["location"] == "/there")
                #expect(answer.isWhole && answer.body.isEmpty)
                #expect(answer["content-encoding"] == (target == "/stored" ? nil : "gzip"))
            }
            #expect(origin.requests.count == 3)
        }
    }

    @Test func headAnnouncesWhatGetWouldGet() throws {
        let answer = Self.coded("", "Cache-Control: max-age=60")
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                try peer.send(
                    Array(answer.prefix(answer.firstRange(of: Array("\r\n\r\n".utf8), from: 0) ?? 0)))
            }
        }
        try withStage(origin) { stage in
            let plain = try stage.ask("HEAD", "/", Self.identity)
            #expect(plain.status == 200 && plain["content-encoding"] == nil && plain["content-length"] == nil)
            #expect(plain["etag"] == "W/\"v1\"" && plain["vary"] == "Accept-Encoding")
            let coded = try stage.ask("HEAD", "/", Self.gzip)
            #expect(coded["content-encoding"] == "gzip" && coded["vary"] == "Accept-Encoding")
            #expect(coded["etag"] == "\"v1\"")
        }
    }

    /// The response to the HEAD does not tell in which coding its client would get the body: a GET is sent.
    /// The client's answer has no body even where that GET fails.
    @Test func aHeadThatFailsAsAGetHasNoBody() throws {
        let head =
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Encoding: gzip\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
        let origin = try ScriptedOrigin(answering: { request in
            request.method == "HEAD" ? head : request.target == "/" ? "nonsense\r\n\r\n" : answer("next")
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("HEAD", "/", [Self.identity]) + request("GET", "/next"))
            #expect(try client.receiveAnswer(toHead: true).status == 502)
            #expect(try client.receiveAnswer().text == "next")
            #expect(origin.requests.map(\.method) == ["HEAD", "GET", "GET"])
        }
    }

    /// An answer that is passed on coded still varies by Accept-Encoding (RFC 9110 §12.5.5).
    @Test func aResponseThatIsDecodedForSomeClientsVaries() throws {
        let origin = try Self.servesCoded(Self.coded(CompressionTests.page, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            for field in [Self.gzip, Self.identity, "Accept: */*", Self.gzip] {
                let answer = try stage.ask("GET", "/", field)
                #expect(answer["vary"] == "Accept-Encoding", "\(field)")
            }
        }
    }

    @Test func aResponseThatIsNeverDecodedDoesNotVary() throws {
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

    /// Two codings of a response have the same date. A range of one is not combined with the beginning of the
    /// other.
    @Test func ifRangeByDateDoesNotMixCodings() throws {
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

    /// The fields of a 304 are those of the 200 that the request would get (RFC 9110 §15.4.5).
    @Test func a304OnAMissNamesTheCodingOfTheClientsCopy() throws {
        let origin = try Self.servesCoded(Self.coded(CompressionTests.page, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            let answer = try stage.ask("GET", "/", Self.identity, "If-None-Match: W/\"v1\"")
            #expect(answer.status == 304 && answer["etag"] == "W/\"v1\"")
            #expect(answer["vary"] == "Accept-Encoding")
            // The same from the store.
            let hit = try stage.ask("GET", "/", Self.identity, "If-None-Match: W/\"v1\"")
            #expect(hit.status == 304 && hit["etag"] == "W/\"v1\"" && hit["vary"] == "Accept-Encoding")
        }
    }

    /// An origin's own 304 knows nothing of Larder's codings, and often lacks the Content-Type that decides
    /// about them. Its Vary is that of its 200.
    @Test(arguments: [
        ("If-None-Match: W/\"v1\"", "W/\"v1\""),
        ("If-None-Match: \"v0\", W/\"v1\"", "W/\"v1\""),
        ("If-None-Match: \"v1\"", "\"v1\""),
        ("If-None-Match: W/\"v1\", \"v1\"", "\"v1\""),
        ("If-None-Match: W/\"v1\"\r\nIf-None-Match: \"v1\"", "\"v1\""),
        ("If-None-Match: *", "\"v1\""),
    ])
    func aForwarded304NamesTheTagOfTheClientsCopy(asks: String, tag: String) throws {
        for (control, isShareable) in [
            ("public", true), ("no-cache", false), ("private, max-age=60", false), ("no-store", false),
        ] {
            let head = "Cache-Control: \(control)\r\nETag: \"v1\"\r\n"
            let origin = try ScriptedOrigin(answering: { request in
                request["if-none-match"] == nil
                    ? "HTTP/1.1 200 OK\r\n\(head)Content-Type: text/html\r\nContent-Length: 1500\r\n\r\n"
                        + String(CompressionTests.page.prefix(1500))
                    : "HTTP/1.1 304 Same\r\n\(head)\r\n"
            })
            try withStage(origin) { stage in
                let whole = try stage.ask("GET", "/", Self.gzip)
                #expect(whole["etag"] == (isShareable ? "W/\"v1\"" : "\"v1\""))
                #expect(whole["vary"] == (isShareable ? "Accept-Encoding" : nil))
                // By now the key is known to be unstorable: the condition is passed on.
                let answer = try stage.ask("GET", "/", Self.gzip, asks)
                #expect(answer.status == 304 && answer["vary"] == whole["vary"])
                #expect(answer["etag"] == (isShareable ? tag : "\"v1\""))
                // The 200 of this resource is never compressed.
                let own = try stage.ask("GET", "/", Self.gzip, "Authorization: Basic x", asks)
                #expect(own.status == 304 && own["etag"] == "\"v1\"" && own["vary"] == nil)
                #expect(origin.requests.count == 3)
            }
        }
    }
}
