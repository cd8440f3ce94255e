// Connections to origins: reused, kept within limits, and closed when unexpected bytes arrive on them.

import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct PoolTests {
    @Test func oneConnectionServesManyRequests() throws {
        let origin = try ScriptedOrigin(answering: { answer($0.target) })
        try withStage(origin) { stage in
            for index in 0..<50 {
                let answer = try stage.ask("GET", "/\(index)")
                #expect(answer.text == "/\(index)")
            }
            #expect(origin.connections == 1)
        }
    }

    @Test(arguments: [Upstream.Connections.Reuse.safe, .always, .never])
    func connectionsAreReusedAsConfigured(reuse: Upstream.Connections.Reuse) throws {
        let origin = try ScriptedOrigin(answering: { answer($0.text) })
        try withStage(origin, settings: { $0.upstreams[0].connections.reuse = reuse }) { stage in
            for _ in 0..<3 {
                _ = try stage.ask("GET", "/")
                _ = try stage.ask("POST", "/", body: "body")
            }
            #expect(origin.connections == [.safe: 4, .always: 1, .never: 6][reuse])
        }
    }

    /// Bytes on an idle connection are not the response to the next request.
    @Test func bytesOnAnIdleConnectionDiscardIt() throws {
        let sent = Gate()
        let ended = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(answer("right \(number)"))
            if number == 0 {
                try peer.wait(for: sent)
                try peer.send(answer("smuggled"))
                sent.close()
                _ = try peer.receiveAll()
                ended.open()
            } else {
                _ = try peer.receiveAll()
            }
        }
        try withStage(origin) { stage in
            #expect(try stage.ask("GET", "/").text == "right 0")
            sent.open()
            try ended.wait()
            #expect(try stage.ask("GET", "/").text == "right 1")
        }
    }

    /// Nor are bytes that the same wait reports together with the next request.
    @Test(arguments: [true, false])
    func bytesThatArriveBeforeTheRequestDiscardTheConnection(speaks: Bool) throws {
        let (says, said) = (Gate(), Gate())
        let paths = SocketPaths(1)
        let origin = try ScriptedOrigin(at: paths.address(0)) { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(cacheable("right \(number)"))
            if number == 0 {
                try peer.wait(for: says)
                if speaks { try peer.send(cacheable("smuggled")) } else { peer.close() }
                said.open()
            }
            if speaks { _ = try? peer.receiveAll() }
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            #expect(try stage.ask("GET", "/0").text == "right 0")
            let (client, other) = (try stage.client(), try stage.client())
            // A client is read in the turn that accepts it. Here an event has to report its request, so the
            // client is accepted first.
            try client.send(request("OPTIONS", "*"))
            _ = try client.receiveAnswer()
            try clock.hold { isAwaited in
                try other.send(request("OPTIONS", "*"))
                _ = try stage.eventually("a turn has its events") { isAwaited() ? true : nil }
                try client.send(request("GET", "/1"))
                says.open()
                try said.wait()
            }
            let first = try client.receiveAnswer()
            let second = try stage.ask("GET", "/1")
            #expect(first.text == "right 1" && second.text == "right 1")
        }
    }

    /// Bytes after the end of a response discard the connection too, in whatever piece they come.
    @Test(arguments: [answer("right"), FramingTests.chunked, "HTTP/1.1 204 No\r\n\r\n"])
    func bytesAfterAResponseDiscardTheConnection(right: String) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                try peer.send(right + (number == 0 ? answer("smuggled") : ""))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            for _ in 0..<3 {
                try client.send(request("GET", "/"))
                let answer = try client.receiveAnswer()
                #expect(answer.text != "smuggled")
            }
            #expect(origin.connections == 2)
        }
    }

    /// A request that cannot be replayed would get a 502 on such a connection.
    @Test func aClosedIdleConnectionIsNotUsedAgain() throws {
        let closed = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                try peer.send(answer("text"))
                if number == 0 { break }
            }
            peer.close()
            closed.open()
        }
        try withStage(origin, settings: { $0.upstreams[0].connections.reuse = .always }) { stage in
            _ = try stage.ask("GET", "/")
            try closed.wait()
            try stage.turn()
            #expect(try stage.ask("POST", "/", body: "x").text == "text")
            #expect(try stage.ask("POST", "/", body: "x").text == "text")
            #expect(origin.connections == 2)
        }
    }

    @Test func noMoreConnectionsThanTheLimitStayIdle() throws {
        let together = Gate()
        let ends = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.wait(for: together)
            try peer.send(answer("text"))
            _ = try peer.receiveAll()
            ends.open()
        }
        try withStage(origin, settings: { $0.upstreams[0].connections.idle = 2 }) { stage in
            let clients = try (0..<4).map { _ in try stage.client() }
            for (index, client) in clients.enumerated() { try client.send(request("GET", "/\(index)")) }
            together.open()
            for client in clients { _ = try client.receiveAnswer() }
            // Two of four connections are closed again.
            try ends.wait(count: 2)
            try stage.turn()
            #expect(ends.drained == 0)
            #expect(origin.connections == 4)
        }
    }

    @Test func anIdleConnectionIsClosedAtItsTimeout() throws {
        let ended = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil { try peer.send(answer("text")) }
            ended.open()
        }
        try withStage(origin, settings: { $0.upstreams[0].connections.idleTimeoutMilliseconds = 50 }) {
            stage in
            _ = try stage.ask("GET", "/")
            try ended.wait()
            #expect(try stage.ask("GET", "/").text == "text")
            #expect(origin.connections == 2)
        }
    }

    @Test func aConnectionThatTheOriginClosesIsNotKept() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text", "Connection: close") })
        try withStage(origin) { stage in
            for _ in 0..<3 { _ = try stage.ask("GET", "/") }
            #expect(origin.connections == 3)
        }
    }

    @Test func eachKeyStaysAtItsServer() throws {
        let origins = try (0..<3).map { _ in try ScriptedOrigin(answering: { answer($0.target) }) }
        try withStage(origins[0], origins[1], origins[2]) { stage in
            for _ in 0..<3 { for index in 0..<30 { _ = try stage.ask("GET", "/\(index)") } }
            for origin in origins {
                let targets = origin.requests.map(\.target)
                #expect(!targets.isEmpty && Set(targets).count * 3 == targets.count)
            }
        }
    }
}
