// Bodies that are compressed or decoded as they pass: when bytes are sent, what waits for the client, and
// what goes into the store meanwhile.

import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct RecodeTests {
    private static let gzip = "Accept-Encoding: gzip"

    private static func serves(_ answer: [UInt8]) throws -> ScriptedOrigin {
        try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil { try peer.send(answer) }
        }
    }

    /// Nothing is held back when each read fills the window, as if more bytes were there.
    @Test func nothingIsHeldBackWhenReadsFillTheWindow() throws {
        let paths = SocketPaths(1)
        let more = Gate()
        let block = (0..<4096).map { String(100_000_000_000_000 + $0 * $0) + "\n" }.joined()
        let origin = try ScriptedOrigin(at: paths.address(0)) { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: public\r\n"
                    + "Content-Length: \(8 * block.utf8.count)\r\n\r\n")
            for _ in 0..<8 {
                try peer.wait(for: more)
                more.close()
                try peer.send(block)
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", [Self.gzip]))
            var received: [UInt8] = []
            while !received.text.contains("\r\n\r\n") { try client.receiveOne(into: &received) }
            for count in 1...8 {
                more.open()
                while inflated(dechunked(received))?.utf8.count != count * block.utf8.count {
                    try #require(try client.receiveSome())
                    received += client.take(client.inbox.count)
                }
            }
        }
    }

    /// Trailers describe the bytes that the origin sent. They are dropped when Larder sends other bytes.
    @Test func trailersAreSentOnlyWithTheOriginsOwnBytes() throws {
        let size = String(CompressionTests.page.utf8.count, radix: 16)
        let text =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: public\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n\(size)\r\n\(CompressionTests.page)\r\n0\r\nETag: \"v1\"\r\n\r\n"
        let origin = try Self.serves(Array(text.utf8))
        try withStage(origin) { stage in
            let coded = try stage.ask("GET", "/", Self.gzip, "TE: trailers")
            #expect(coded.isWhole && inflated(coded.body) == CompressionTests.page && coded.trailers.isEmpty)
            let plain = try stage.ask("GET", "/", "TE: trailers")
            #expect(plain.text == CompressionTests.page && plain.trailers == ["ETag: \"v1\""])
        }
    }

    /// The whole body has come and is stored, while the client for which it is decoded reads nothing. Larder
    /// decodes no more then. When the client leaves, that does not count as a failure of the origin.
    @Test func decodingWaitsForItsClient() throws {
        let paths = SocketPaths(3)
        let coded = deflated(String(repeating: "0", count: 16 << 20))
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
            + "Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "\(String(coded.count, radix: 16))\r\n"
        let origin = try Self.serves(Array(head.utf8) + coded + Array("\r\n0\r\n\r\n".utf8))
        let (bind, log) = (paths.paths[1], paths.paths[2])
        try withStage(
            origin,
            settings: {
                $0.listeners[0].bind = .unix(path: bind)
                $0.log.access = .file(log)
            }
        ) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/held", ["Accept-Encoding: identity"]))
            _ = try client.receive(1)
            let other = try stage.ask("GET", "/held", Self.gzip, "Cache-Control: only-if-cached")
            #expect(other.body == coded)
            for _ in 0..<32 { try stage.turn() }
            client.reset()
            try stage.settled("the client left")
            #expect(stage.server.figures[0].failures == 0 && origin.requests.count == 1)
            stage.server.drain()
            stage.server.join()
            let line = try #require(BalanceTests.lines(log).first { $0.contains("/held") })
            let bytes = try #require(line.firstMatch(of: /"bytes":([0-9]+)/)).output.1
            #expect(Int(bytes) ?? .max < 1 << 20)
        }
    }
}
