// A server's requests in flight are counted while an exchange uses the server, and no longer, however the
// exchange ends.

import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct InFlightTests {
    /// How exchanges end. Each case: what the client sends, what the origin does, and what the client does
    /// then.
    private enum End: String, CaseIterable {
        case answer, stored, head, reusedAndGone, toldToClose, untilClose, cut, malformed, closedUnanswered,
            tooSlow, stalled
        case leavesWaiting, leavesWhileStored, leavesInBody, tunnel, tunnelLeft, earlyAnswer, bodyTooSlow

        var request: String {
            let target = "/\(rawValue)"
            switch self {
            case .head: return DataPlaneHarness.request("HEAD", target)
            case .untilClose: return "GET \(target) HTTP/1.0\r\nHost: a\r\n\r\n"
            case .tunnel, .tunnelLeft: return DataPlaneHarness.request("GET", target, TunnelTests.upgrade)
            case .earlyAnswer, .bodyTooSlow:
                return "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nonly this"
            default: return DataPlaneHarness.request("GET", target)
            }
        }

        /// The origin's part, on a connection that has the request; false closes the connection. `go` opens
        /// once the test has seen the request in flight, `more` once its client has left.
        func serve(_ peer: Peer, isReused: Bool, _ go: Gate, _ more: Gate) throws -> Bool {
            if self == .reusedAndGone, isReused { return false }
            try peer.wait(for: go)
            let whole = cacheable("the body")
            switch self {
            case .answer, .reusedAndGone: try peer.send(DataPlaneHarness.answer("text"))
            case .stored: try peer.send(whole)
            case .head: try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            case .toldToClose: try peer.send(DataPlaneHarness.answer("text", "Connection: close"))
            case .untilClose:
                try peer.send("HTTP/1.1 200 OK\r\n\r\ntext")
                return false
            case .cut:
                try peer.send(String(whole.dropLast(4)))
                return false
            case .malformed: try peer.send("HTTP/1.1 2000 No\r\n\r\n")
            case .closedUnanswered: return false
            case .tooSlow, .leavesWaiting, .bodyTooSlow: _ = try peer.receiveAll()
            case .stalled, .leavesInBody:
                let text = self == .stalled ? whole : DataPlaneHarness.answer("the body")
                try peer.send(String(text.dropLast(4)))
                _ = try peer.receiveAll()
            case .leavesWhileStored:
                try peer.send(String(whole.dropLast(4)))
                try peer.wait(for: more)
                try peer.send("body")
            case .tunnel, .tunnelLeft:
                try peer.send(TunnelTests.switching)
                _ = try peer.receiveAll()
            case .earlyAnswer:
                try peer.send(DataPlaneHarness.answer("no", status: 413))
                return false
            }
            return true
        }

        /// The client's part after its request.
        func finish(_ client: Peer) throws {
            switch self {
            case .leavesWaiting: client.reset()
            case .leavesInBody, .leavesWhileStored:
                while !client.inbox.text.contains("the ") { _ = try client.receiveSome() }
                client.reset()
            case .tunnel:
                _ = try client.receiveAnswer()
                client.shutdownWrite()
                try client.ending()
            case .tunnelLeft:
                _ = try client.receiveAnswer()
                client.reset()
            case .cut, .stalled: #expect(try !client.receiveAnswer().isWhole)
            case .head: _ = try client.receiveAnswer(toHead: true)
            default:
                let status = try client.receiveAnswer().status
                #expect(status == expected, "\(rawValue)")
            }
        }

        /// Whether a timeout of Larder's ends the exchange. Then that timeout is short, and no other.
        var takesTime: Bool {
            switch self {
            case .tooSlow, .leavesWaiting, .stalled, .bodyTooSlow: true
            default: false
            }
        }

        func shorten(_ settings: inout Settings) {
            switch self {
            case .tooSlow, .leavesWaiting: settings.upstreams[0].timeouts.responseMilliseconds = 1_000
            case .stalled: settings.upstreams[0].timeouts.idleMilliseconds = 1_000
            case .bodyTooSlow: settings.limits.keepAliveMilliseconds = 1_000
            default: break
            }
        }

        private var expected: Int {
            switch self {
            case .malformed, .closedUnanswered: 502
            case .tooSlow: 504
            case .earlyAnswer: 413
            case .bodyTooSlow: 408
            default: 200
            }
        }
    }

    /// Runs one request after another to its end.
    /// - Returns: how many of them counted as failures.
    private static func failures(
        of ends: [End], threads: Int, settings change: (inout Settings) -> Void = { _ in }
    ) throws -> Int {
        let (arrivals, go, more) = (Gate(), Gate(), Gate())
        let origin = try ScriptedOrigin { peer, number, origin in
            var isReused = false
            while let head = try peer.receiveHead() {
                guard let end = End(rawValue: String(head.target.dropFirst())) else { return }
                arrivals.open()
                guard try end.serve(peer, isReused: isReused, go, more) else { return }
                isReused = true
            }
        }
        var failures = 0
        try withStage(origin, threads: threads, settings: change) { stage in
            for (served, end) in ends.enumerated() {
                go.close()
                arrivals.close()
                let client = try stage.client()
                try client.send(end.request)
                try arrivals.wait()
                #expect(stage.server.figures[0].requests == served + 1, "\(end)")
                // The request is counted while it lasts: the origin has it and has not answered.
                if !end.takesTime { #expect(stage.server.figures[0].inFlight == 1, "\(end)") }
                go.open()
                try end.finish(client)
                if end == .leavesWhileStored {
                    // The fetch goes on without its client.
                    try stage.turn()
                    #expect(stage.server.figures[0].inFlight == 1)
                    more.open()
                    _ = try stage.stored("/\(end)")
                }
                try stage.settled(end.rawValue)
            }
            failures = stage.server.figures[0].failures
        }
        return failures
    }

    @Test(arguments: [1, 2]) func everyEndOfAnExchangeGivesTheCountBack(threads: Int) throws {
        let ends = End.allCases.filter { !$0.takesTime }
        // cut, malformed, closedUnanswered
        #expect(try Self.failures(of: ends, threads: threads) == 3)
    }

    /// Each case has a server of its own. Only the timeout that ends it is short.
    @Test(arguments: [1, 2]) func everyTimeoutGivesTheCountBack(threads: Int) throws {
        for end in End.allCases where end.takesTime {
            let failures = try Self.failures(of: [end], threads: threads) { end.shorten(&$0) }
            // The server has no part in a request whose body does not come.
            #expect(failures == (end == .bodyTooSlow ? 0 : 1), "\(end)")
        }
    }

    /// A server that fails hands its request and its count over to the next.
    @Test func theNextServerTakesTheCountOver() throws {
        let arrivals = Gate()
        let gates = [Gate(), Gate(), Gate()]
        let origins = try gates.map { gate in
            try ScriptedOrigin { peer, number, origin in
                _ = try origin.receive(peer, number)
                arrivals.open()
                // It closes without an answer.
                try peer.wait(for: gate)
            }
        }
        try withStage(origins[0], origins[1], origins[2]) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            for attempt in 1...3 {
                try arrivals.wait()
                arrivals.close()
                let during = stage.server.figures
                #expect(during.reduce(0) { $0 + $1.inFlight } == 1)
                #expect(during.reduce(0) { $0 + $1.requests } == attempt)
                let holder = during.firstIndex { $0.inFlight == 1 } ?? 0
                #expect(during[holder].requests == 1)
                gates[holder].open()
            }
            #expect(try client.receiveAnswer().status == 502)
            try stage.settled("every server failed")
            let after = stage.server.figures
            #expect(after.map(\.failures) == [1, 1, 1])
            #expect(after.reduce(0) { $0 + $1.retries } == 2 && after.allSatisfy { $0.spills == 0 })
        }
    }

    /// A stop gives back the count of what it cuts off. A drain waits for it.
    @Test(arguments: ["stop", "drain"]) func aStopAndADrainGiveTheCountBack(how: String) throws {
        let arrivals = Gate()
        let go = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                arrivals.open()
                try peer.wait(for: go)
                try peer.send(answer("text"))
            }
        }
        try withStage(origin) { stage in
            let clients = try (0..<3).map { index in
                let client = try stage.client()
                try client.send(request("GET", "/\(index)"))
                return client
            }
            try arrivals.wait(count: 3)
            #expect(stage.server.figures[0].inFlight == 3)
            if how == "stop" {
                stage.server.stop()
            } else {
                stage.server.drain()
                go.open()
                for client in clients {
                    let answer = try client.receiveAnswer()
                    #expect(answer.status == 200)
                }
            }
            stage.server.join()
            #expect(stage.server.figures[0].inFlight == 0 && stage.server.figures[0].requests == 3)
        }
    }
}
