// Compression of answers: streams, stored variants, and which client gets which coding.

import Bytes
import Compression
import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct CompressionTests {
    /// About 20 KB of text that compresses well.
    static let page = (0..<1500).map { "line \($0) of a page" }.joined(separator: "\n")
    private static let gzip = "Accept-Encoding: gzip"

    private static func text(_ body: String, _ fields: String...) -> String {
        let lines = fields.map { "\r\n\($0)" }.joined()
        return cacheable(body, "Content-Type: text/html; charset=utf-8", "ETag: \"v1\"\(lines)")
    }

    private static func serves(_ answer: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { _ in answer })
    }

    /// Expects the complete gzip of `body`.
    private func expectGzip(_ answer: Message, of body: String) {
        #expect(answer.isWhole && answer["content-encoding"] == "gzip")
        #expect(answer["vary"] == "Accept-Encoding" && answer["etag"] == "W/\"v1\"")
        #expect(inflated(answer.body) == body)
    }

    @Test func aBodyCompressedDuringAMissServesLaterHits() throws {
        let origin = try Self.serves(Self.text(Self.page))
        try withStage(origin) { stage in
            let miss = try stage.ask("GET", "/", Self.gzip)
            expectGzip(miss, of: Self.page)
            #expect(miss["transfer-encoding"] == "chunked" && miss["content-length"] == nil)
            let hit = try stage.ask("GET", "/", Self.gzip)
            expectGzip(hit, of: Self.page)
            #expect(hit.cacheStatus.hasPrefix("hit") && hit.body == miss.body)
            let plain = try stage.ask("GET", "/")
            #expect(plain.text == Self.page && plain["etag"] == "\"v1\"" && plain["content-encoding"] == nil)
            #expect(plain["vary"] == "Accept-Encoding" && plain.cacheStatus.hasPrefix("hit"))
            let head = try stage.ask("HEAD", "/", Self.gzip)
            #expect(head["content-length"] == "\(miss.body.count)" && head["content-encoding"] == "gzip")
            #expect(origin.requests.count == 1)
        }
    }

    @Test func aStoredBodyIsCompressedOnceByAHelperThread() throws {
        let origin = try Self.serves(Self.text(Self.page))
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            // The first client that accepts gzip gets the original, and has the gzip variant made.
            let first = try stage.ask("GET", "/", Self.gzip)
            #expect(first.text == Self.page && first["vary"] == "Accept-Encoding")
            let later = try stage.eventually("the variant is there") {
                let answer = try stage.ask("GET", "/", Self.gzip)
                return answer["content-encoding"] == nil ? nil : answer
            }
            expectGzip(later, of: Self.page)
            #expect(later["content-length"] == "\(later.body.count)")
            #expect(stage.store.statistics.inserted == 2 && origin.requests.count == 1)
            // A second coding is made from the original, not from the first coding.
            let brotli = try stage.eventually("the other variant is there") {
                let answer = try stage.ask("GET", "/", "Accept-Encoding: gzip, br")
                return answer["content-encoding"] == "br" ? answer : nil
            }
            #expect(brotli.body.count < Self.page.utf8.count / 4)
            #expect(stage.store.statistics.inserted == 3)
        }
    }

    /// A variant that is given up halfway releases its claim.
    @Test func aVariantWithoutRoomDuringTheMissIsMadeLater() throws {
        let page = String(Self.page.prefix(1500))
        let origin = try Self.serves(Self.text(page))
        // The smallest limit: room for this encoder, and none for its output.
        try withStage(origin, settings: { $0.limits.bufferBytes = 1 }) { stage in
            let miss = try stage.ask("GET", "/", "Accept-Encoding: br")
            #expect(miss["content-encoding"] == "br" && miss.cacheStatus.contains("stored"))
            _ = try stage.eventually("the variant is there") {
                let answer = try stage.ask("GET", "/", "Accept-Encoding: br")
                return answer["content-encoding"] == "br" ? answer : nil
            }
            #expect(origin.requests.count == 1)
        }
    }

    /// A renewed variant still records that a better coding could be made.
    @Test func aRenewedEntryIsCompressedAgain() throws {
        let scripted = try Scripted([
            cacheable(Self.page, "Content-Type: text/html", "ETag: \"a\""), notModified,
        ])
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/", Self.gzip)
            clock.advance(milliseconds: 61_000)
            let renewed = try stage.ask("GET", "/", Self.gzip)
            #expect(renewed["content-encoding"] == "gzip" && scripted.origin.requests.count == 2)
            _ = try stage.eventually("the other variant is there") {
                let answer = try stage.ask("GET", "/", "Accept-Encoding: gzip, br")
                return answer["content-encoding"] == "br" ? answer : nil
            }
            #expect(scripted.origin.requests.count == 2)
        }
    }

    @Test func aBodyThatDoesNotShrinkIsCompressedOnce() throws {
        var random = Peer.Noise(seed: 1)
        let noise = String((0..<40).map { _ in random.letter() })
        let origin = try Self.serves(Self.text(noise))
        try withStage(origin, settings: { $0.policies[0].compress.minBodyBytes = 1 }) { stage in
            _ = try stage.ask("GET", "/")
            for _ in 0..<50 {
                #expect(try stage.ask("GET", "/", Self.gzip).text == noise)
            }
            #expect(stage.store.statistics.inserted <= 2)
        }
    }

    @Test(arguments: [
        ("Accept-Encoding: gzip", "Content-Type: image/png"),
        ("Accept-Encoding: gzip", "Content-Type: text/plain\r\nCache-Control: no-transform"),
        ("Accept-Encoding: gzip", "Content-Type: text/plain\r\nContent-Encoding: br"),
        ("Accept-Encoding: gzip;q=0", "Content-Type: text/plain"),
        ("Accept-Encoding: deflate", "Content-Type: text/plain"),
        ("Accept: */*", "Content-Type: text/plain"),
        ("Accept-Encoding: gzip\r\nRange: bytes=0-", "Content-Type: text/plain"),
    ])
    func anIncompressibleAnswerKeepsItsBytes(asks: String, says: String) throws {
        let origin = try Self.serves(
            "HTTP/1.1 200 OK\r\nCache-Control: public\r\n\(says)\r\nContent-Length: \(Self.page.utf8.count)\r\n\r\n\(Self.page)")
        try withStage(origin) { stage in
            let answer = try stage.ask("GET", "/", asks)
            #expect(answer.text == Self.page && answer["content-length"] == "\(Self.page.utf8.count)")
        }
    }

    /// A range counts bytes of the origin's body, even where a coding of it is stored too.
    @Test func aRangeIsCutFromTheOriginal() throws {
        let origin = try Self.serves(Self.text(Self.page, "Cache-Control: max-age=60"))
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/", Self.gzip)
            let part = try stage.ask("GET", "/", Self.gzip + "\r\nRange: bytes=0-9")
            #expect(part.status == 206 && part.text == String(Self.page.prefix(10)))
            #expect(part["content-encoding"] == nil && part["etag"] == "\"v1\"")
            #expect(part["content-range"] == "bytes 0-9/\(Self.page.utf8.count)")
            #expect(origin.requests.count == 1)
        }
    }

    @Test func aRouteWithoutAPolicyDoesNotCompress() throws {
        let origin = try Self.serves(Self.text(Self.page))
        try withStage(origin, settings: { $0.routes[0].policy = nil }) { stage in
            let answer = try stage.ask("GET", "/", Self.gzip)
            #expect(answer.text == Self.page && answer["vary"] == nil && answer["etag"] == "\"v1\"")
        }
    }

    /// What the origin has sent is passed on at once, although more is to come.
    @Test func aCompressedStreamIsFlushedAsItArrives() throws {
        let more = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"v1\"\r\n"
                    + "Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            try peer.wait(for: more)
            try peer.send("4\r\nlast\r\n0\r\n\r\n")
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", [Self.gzip]))
            var received: [UInt8] = []
            while !received.text.contains("\r\n\r\n") || inflated(dechunked(received)) != "first" {
                try client.receiveOne(into: &received)
            }
            more.open()
            while !received.text.hasSuffix("0\r\n\r\n") { try client.receiveOne(into: &received) }
            #expect(inflated(dechunked(received)) == "firstlast")
            let hit = try stage.ask("GET", "/", Self.gzip)
            #expect(inflated(hit.body) == "firstlast" || hit.text == "firstlast")
        }
    }

    @Test func aTruncatedResponseIsCutForTheClientAndNotStored() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(String(Self.text(Self.page).dropLast(10)))
        }
        try withStage(origin) { stage in
            let answer = try stage.ask("GET", "/", Self.gzip)
            #expect(!answer.isWhole)
            #expect(stage.store.statistics.objects == 0)
        }
    }

    @Test func aClientThatLeavesDoesNotSpoilTheStoredVariant() throws {
        let gone = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            let answer = Array(Self.text(Self.page).utf8)
            try peer.send(Array(answer[..<2000]))
            try peer.wait(for: gone)
            try peer.send(Array(answer[2000...]))
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", [Self.gzip]))
            _ = try client.receive(10)
            client.reset()
            try stage.turn()
            gone.open()
            _ = try stage.stored("/")
            let hit = try stage.ask("GET", "/", Self.gzip, "Cache-Control: only-if-cached")
            expectGzip(hit, of: Self.page)
        }
    }

    @Test func anHTTP10ClientGetsACompressedBodyUntilTheClose() throws {
        let origin = try Self.serves(Self.text(Self.page))
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("GET / HTTP/1.0\r\nHost: example.com\r\n\(Self.gzip)\r\n\r\n")
            expectGzip(try client.receiveAnswer(), of: Self.page)
        }
    }

    @Test func aConditionMatchesTheTagOfAnyCoding() throws {
        let origin = try Self.serves(Self.text(Self.page))
        try withStage(origin) { stage in
            for tag in ["W/\"v1\"", "\"v1\""] {
                for field in [Self.gzip, "Accept: */*"] {
                    let answer = try stage.ask("GET", "/", field, "If-None-Match: \(tag)")
                    #expect(answer.status == 304 && answer["vary"] == "Accept-Encoding")
                }
            }
        }
    }
}

extension Peer {
    /// Seeded noise.
    struct Noise {
        var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func letter() -> Character {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Character(Unicode.Scalar(UInt8(0x21 + (state >> 40) % 94)))
        }
    }

    /// Waits for one byte and adds it.
    func receiveOne(into bytes: inout [UInt8]) throws { bytes += try receive(1) }
}

/// The text decoded from a gzip stream, complete or not.
func inflated(_ bytes: [UInt8]) -> String? {
    guard var decoder = Decoder() else { return nil }
    var output = ByteBuffer(capacity: 1024)
    var offset = 0
    _ = decoder.decode(bytes.span, from: &offset, into: &output, atMost: 1 << 26)
    return output.span.copied.text
}

func deflated(_ text: String) -> [UInt8] {
    guard var encoder = Encoder(.gzip, .stream) else { return [] }
    var output = ByteBuffer(capacity: 1024)
    _ = encoder.encode(Array(text.utf8).span, .finish, into: &output)
    return output.span.copied
}

/// The joined contents of the chunks received so far.
func dechunked(_ bytes: [UInt8]) -> [UInt8] {
    guard let start = bytes.firstRange(of: Array("\r\n\r\n".utf8), from: 0) else { return [] }
    var rest = Array(bytes[start...])
    var body: [UInt8] = []
    while let data = rest.firstRange(of: [0x0d, 0x0a], from: 0),
        let count = Int(Array(rest[..<(data - 2)]).text, radix: 16), count > 0
    {
        body += rest[data...].prefix(count)
        rest = Array(rest[data...].dropFirst(count + 2))
    }
    return body
}
