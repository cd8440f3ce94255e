// Deadlines: the deadline of a side counts only while the exchange waits for that side, and every byte that
// moves restarts it. No test sleeps: tests advance a steered clock.

import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct DeadlineTests {
    static let hour = 3_600_000
    static let long = String(repeating: "x", count: 300_000)

    /// The whole response lies in Larder's buffers, and the client reads it in small steps. The origin's time
    /// passes again at every step.
    @Test func aSlowClientDoesNotTimeTheOriginOut() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer(Self.long) })
        let clock = steered()
        try withStage(origin, clock: clock, settings: { $0.limits.keepAliveMilliseconds = Self.hour }) {
            stage in
            let client = try Peer.connectNarrowly(to: stage.address)
            try client.send(request("GET", "/"))
            for _ in 0..<32 {
                #expect(try client.receiveSome(limit: 1024))
                try stage.turn()
                clock.skip(milliseconds: 31_000)
                try stage.turn()
            }
            let answer = try client.receiveAnswer()
            #expect(answer.isWhole && answer.text == Self.long)
            #expect(stage.server.figures[0].failures == 0)
        }
    }

    /// The request's body lies in Larder's buffers, and the origin reads it in small steps.
    @Test func aSlowOriginDoesNotTimeTheClientOut() throws {
        let step = Gate()
        let taken = Gate()
        let origin = try ScriptedOrigin(narrow: true) { peer, _, _ in
            for _ in 0..<32 {
                try peer.wait(for: step)
                step.close()
                _ = try peer.receiveSome(limit: 1024)
                taken.open()
            }
            _ = try peer.receiveRequest()
            try peer.send(answer("taken"))
        }
        let clock = steered()
        try withStage(
            origin, clock: clock, settings: { $0.upstreams[0].timeouts.responseMilliseconds = Self.hour }
        ) { stage in
            let client = try stage.client()
            try client.send(request("PUT", "/", body: Self.long))
            for _ in 0..<32 {
                step.open()
                try taken.wait()
                taken.close()
                try stage.turn()
                clock.skip(milliseconds: 61_000)
                try stage.turn()
            }
            #expect(try client.receiveAnswer().text == "taken")
        }
    }

    /// The response has begun. The origin sends the rest only after it has the whole request body.
    @Test func anUploadGoesOnAfterAnEarlyAnswer() throws {
        let taken = Gate()
        let origin = try ScriptedOrigin { peer, _, _ in
            _ = try peer.receiveHead()
            try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            for _ in 0..<4 {
                _ = try peer.receive(5)
                taken.open()
            }
            try peer.send("whole")
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            let client = try stage.client()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
            #expect(try client.receiveHead()?.status == 200)
            for _ in 0..<4 {
                clock.skip(milliseconds: 20_000)
                try client.send("piece")
                try taken.wait()
                taken.close()
                try stage.turn()
            }
            #expect(try client.receive(5).text == "whole")
        }
    }

    /// A client that gets an early final answer stops its upload (RFC 9110 §10.1.1, RFC 9112 §9.5). It then
    /// reads the answer, however long that takes.
    @Test func aClientMayStopItsUploadAtAnEarlyAnswer() throws {
        let next = Gate()
        let origin = try ScriptedOrigin { peer, _, _ in
            try Self.refuseEarly(peer)
            for _ in 0..<5 {
                try peer.wait(for: next)
                next.close()
                try peer.send("piece")
            }
            _ = try peer.receiveAll()
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            let client = try Self.refusedEarly(stage)
            for _ in 0..<5 {
                clock.skip(milliseconds: 20_000)
                try stage.turn()
                next.open()
                #expect(try client.receive(5).text == "piece")
            }
            #expect(try client.ending() == .end)
        }
    }

    /// When both sides are silent, the exchange ends.
    @Test func aStoppedUploadEndsWhenBothSidesAreSilent() throws {
        let origin = try ScriptedOrigin { peer, _, _ in
            try Self.refuseEarly(peer)
            _ = try peer.receiveAll()
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            let client = try Self.refusedEarly(stage)
            clock.skip(milliseconds: 31_000)
            try stage.turn()
            _ = try client.ending()
        }
    }

    private static func refuseEarly(_ peer: Peer) throws {
        _ = try peer.receiveHead()
        try peer.send("HTTP/1.1 413 No\r\nContent-Length: 25\r\n\r\n")
    }

    /// A client that has sent a part of its body and has received the head of the early answer.
    private static func refusedEarly(_ stage: Stage) throws -> Peer {
        let client = try stage.client()
        try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome of it")
        #expect(try client.receiveHead()?.status == 413)
        return client
    }

    // MARK: Tunnels

    /// The client has ended its side. The origin's last bytes are many, and the client reads them slowly.
    @Test func aSlowTunnelReaderIsNotCutOff() throws {
        let said = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(TunnelTests.switching)
            try peer.ending()
            try peer.send(Self.long)
            said.open()
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            let client = try Peer.connectNarrowly(to: stage.address)
            try client.send(request("GET", "/", TunnelTests.upgrade))
            _ = try client.receiveAnswer()
            client.shutdownWrite()
            try said.wait()
            try stage.turn()
            clock.skip(milliseconds: 31_000)
            try stage.turn()
            let (bytes, ending) = try client.receiveAll()
            #expect(bytes.text == Self.long && ending == .end)
        }
    }

    /// The origin has ended its side. The client's last bytes are many, and the origin reads them slowly.
    @Test func aSlowTunnelClientIsNotCutOff() throws {
        let step = Gate()
        let taken = Gate()
        let heard = Gate()
        let origin = try ScriptedOrigin(narrow: true) { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(TunnelTests.switching)
            peer.shutdownWrite()
            for _ in 0..<3 {
                try peer.wait(for: step)
                step.close()
                _ = try peer.receive(2048)
                taken.open()
            }
            try peer.wait(for: step)
            let (bytes, ending) = try peer.receiveAll()
            guard bytes.count == Self.long.utf8.count - 3 * 2048, ending == .end else {
                throw Unexpected(description: "heard \(bytes.count) bytes, \(ending)")
            }
            heard.open()
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", TunnelTests.upgrade))
            _ = try client.receiveAnswer()
            try client.ending()
            try client.send(Self.long)
            client.shutdownWrite()
            try stage.turn()
            clock.skip(milliseconds: 16_000)
            for _ in 0..<3 {
                step.open()
                try taken.wait()
                taken.close()
                try stage.turn()
            }
            clock.skip(milliseconds: 16_000)
            try stage.turn()
            step.open()
            try heard.wait()
        }
    }
}
