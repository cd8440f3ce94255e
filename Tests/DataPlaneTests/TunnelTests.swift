// Upgraded connections: after the 101, bytes pass unchanged in both directions, and either side may end
// first.

import DataPlaneHarness
import Settings
import Testing

struct TunnelTests {
    static let upgrade = ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k"]
    static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Accept: a\r\n\r\n"

    /// Echoes the bytes after the upgrade until the client ends, then sends a goodbye.
    static func echo() throws -> ScriptedOrigin {
        try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(switching + "hello")
            while try peer.receiveSome() {
                // Bytes that are only received, not echoed.
                try peer.send(peer.take(peer.inbox.count).filter { $0 != UInt8(ascii: "~") })
            }
            try peer.send("bye")
        }
    }

    @Test func bytesPassBothWays() throws {
        let origin = try Self.echo()
        try withStage(origin) { stage in
            let client = try stage.client()
            // The first bytes of the tunnel follow the request directly.
            try client.send(request("GET", "/chat", Self.upgrade) + "first")
            let answer = try client.receiveAnswer()
            #expect(
                answer.status == 101 && answer["upgrade"] == "websocket"
                    && answer["sec-websocket-accept"] == "a")
            #expect(answer["connection"]?.lowercased() == "upgrade")
            #expect(try client.receive(10).text == "hellofirst")
            for text in ["GET / HTTP/1.1\r\n\r\n", "\0\u{1}", String(repeating: "x", count: 300_000)] {
                let bytes = Array(text.utf8)
                try client.send(bytes)
                let echoed = try client.receive(bytes.count)
                #expect(echoed == bytes)
            }
            client.shutdownWrite()
            #expect(try client.receive(3).text == "bye")
            #expect(try client.ending() == .end)
            let head = origin.requests[0]
            #expect(
                head["upgrade"] == "websocket" && head["connection"] == "Upgrade"
                    && head["sec-websocket-key"] == "k")
        }
    }

    /// The tunnel's bytes are not a request body, so that no limit applies (RFC 9110 §7.8).
    @Test func aTunnelHasNoLimitOfBytes() throws {
        let origin = try Self.echo()
        try withStage(origin, settings: { $0.limits.requestBodyBytes = 10 }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade))
            _ = try client.receiveAnswer()
            try client.send("more than ten bytes")
            #expect(try client.receive(24).text == "hellomore than ten bytes")
        }
    }

    @Test func theOriginMayEndItsSideOfATunnelFirst() throws {
        let done = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(Self.switching + "all I say")
            peer.shutdownWrite()
            let (bytes, ending) = try peer.receiveAll()
            guard bytes.text == "still heard", ending == .end else {
                throw Unexpected(description: "heard \(bytes.text), \(ending)")
            }
            done.open()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade))
            _ = try client.receiveAnswer()
            #expect(try client.receive(9).text == "all I say")
            #expect(try client.ending() == .end)
            try client.send("still heard")
            client.shutdownWrite()
            try done.wait()
        }
    }

    /// A socket at its end stays readable, and each event of another kind reports that again. Here the other
    /// event is that the socket is writable.
    @Test func anOriginThatEndedItsSideGetsEveryByte() throws {
        let length = 8 << 20
        let hasEnded = Gate()
        let heard = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(Self.switching)
            peer.shutdownWrite()
            // The client's first bytes meet full buffers.
            try peer.wait(for: hasEnded)
            let (bytes, ending) = try peer.receiveAll()
            guard bytes.count == length, ending == .end else {
                throw Unexpected(description: "heard \(bytes.count) bytes, \(ending)")
            }
            heard.open()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade))
            _ = try client.receiveAnswer()
            #expect(try client.ending() == .end)
            try client.send([UInt8](repeating: 7, count: 64 << 10))
            try stage.turn()
            hasEnded.open()
            try client.send([UInt8](repeating: 7, count: length - (64 << 10)))
            client.shutdownWrite()
            try heard.wait()
        }
    }

    @Test func aClientThatLeavesEndsTheTunnel() throws {
        let ended = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(Self.switching)
            _ = try peer.receiveAll()
            ended.open()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade))
            _ = try client.receiveAnswer()
            client.reset()
            try ended.wait()
        }
    }

    /// A tunnel has its own timeout: those of requests do not apply.
    @Test func aSilentTunnelOutlivesTheKeepAlive() throws {
        let origin = try Self.echo()
        try withStage(origin, settings: { $0.limits.keepAliveMilliseconds = 200 }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade))
            _ = try client.receiveAnswer()
            #expect(try client.receive(5).text == "hello")
            try client.send("~")
            // Idle connections come and end by their timeout.
            for _ in 0..<2 {
                let other = try stage.client()
                try other.send(request("OPTIONS", "*"))
                _ = try other.receiveAnswer()
                try other.ending()
            }
            try client.send("y")
            #expect(try client.receive(1).text == "y")
        }
    }

    @Test func aSilentTunnelEndsAtItsTimeout() throws {
        let origin = try Self.echo()
        try withStage(origin, settings: { $0.upstreams[0].timeouts.tunnelMilliseconds = 200 }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade))
            _ = try client.receiveAnswer()
            #expect(try client.receive(5).text == "hello")
            try client.ending()
        }
    }

    @Test(arguments: [
        ["Upgrade: websocket"], ["Connection: upgrade", "Upgrade: h2c"], [],
        ["Connection: upgrade", "Upgrade: websocket, h2c"],
    ])
    func anUnrequested101IsA502(fields: [String]) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(Self.switching)
            _ = try peer.receiveAll()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", fields))
            #expect(try client.receiveAnswer().status == 502)
            #expect(origin.requests.allSatisfy { $0["upgrade"] == nil })
        }
    }

    @Test func anOriginMayDeclineAnUpgrade() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("no", status: 426, "Upgrade: websocket") })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", Self.upgrade) + request("GET", "/next"))
            #expect(try client.receiveAnswer().status == 426)
            #expect(try client.receiveAnswer().status == 426)
        }
    }
}
