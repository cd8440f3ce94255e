// Ends: draining lets what is under way finish; stopping does not wait.

import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import SystemPackage
import Testing

struct DrainTests {
    /// Ends the stage's server by itself: `join` returns.
    @Test(arguments: [1, 2]) func whatIsUnderWayFinishes(threads: Int) throws {
        let arrived = Gate()
        let resume = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                if request.target == "/slow" {
                    arrived.open()
                    try peer.wait(for: resume)
                }
                try peer.send(answer("text"))
            }
        }
        try withStage(origin, threads: threads) { stage in
            let idle = try stage.client()
            try idle.send(request("GET", "/"))
            _ = try idle.receiveAnswer()
            let busy = try stage.client()
            try busy.send(request("GET", "/slow"))
            try arrived.wait()
            let begun = try stage.client()
            try begun.send("OPTIONS * HTTP/1.1\r\nHo")
            try stage.turn()
            stage.server.drain()
            // The idle one ends at once.
            #expect(try idle.ending() == .end)
            // What began a request gets its answer, and then the end.
            try begun.send("st: a\r\n\r\n")
            let last = try begun.receiveAnswer()
            // (Of another thread it is not known whether it has heard: it ends the connection once it has.)
            #expect(last.status == 204 && (last.closes || threads > 1))
            try begun.ending()
            #expect(!stage.server.hasEnded)
            // Nobody is let in any more. (Of another thread it is not known whether it has heard.)
            if threads == 1 { #expect(throws: Errno.connectionRefused) { _ = try stage.client() } }
            resume.open()
            let answer = try busy.receiveAnswer()
            #expect(answer.text == "text" && answer.closes)
            #expect(try busy.ending() == .end)
            stage.server.join()
            #expect(stage.server.hasEnded)
            #expect(throws: Errno.connectionRefused) { _ = try stage.client() }
        }
    }

    /// Connections that were accepted or queued when the drain began, with a request in them or on its way.
    @Test func whoCameBeforeTheDrainIsAnswered() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        try withStage(origin) { stage in
            let clients = try (0..<100).map { _ in try stage.client() }
            // On loopback they are in the listener's queue when this returns, accepted or not. (Connections
            // that say nothing are not even queued: accepting is deferred until they do.)
            for client in clients { try client.send(request("GET", "/")) }
            stage.server.drain()
            for client in clients {
                // One that was answered before the drain was heard says nothing of the end, and ends all
                // the same.
                let answer = try client.receiveAnswer()
                #expect(answer.text == "text")
                try client.ending()
            }
            stage.server.join()
        }
    }

    /// Clients that come all the time while the drain begins: each is answered, or is refused, and none is
    /// reset.
    @Test(arguments: [1, 2]) func nobodyIsResetByADrain(threads: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, threads: threads) { stage in
            let crowd = Crowd(address: stage.address)
            let threads = try (0..<4).map { _ in
                RunningThread(try Thread.spawn(name: "client", seed: crowd) { $0.comeUntilRefused() })
            }
            try crowd.answered.wait(count: 500)
            stage.server.drain()
            for thread in threads { thread.join() }
            stage.server.join()
            #expect(crowd.failures.withLock { $0 } == [])
        }
    }

    @Test func nobodyIsResetByADrainOfAUnixSocket() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let paths = SocketPaths(1)
        let path = paths.paths[0]
        try withStage(origin, threads: 2, settings: { $0.listeners = [.init(bind: .unix(path: path))] }) {
            stage in
            let crowd = Crowd(address: stage.address)
            let thread = RunningThread(try Thread.spawn(name: "client", seed: crowd) { $0.comeUntilRefused() })
            try crowd.answered.wait(count: 200)
            stage.server.drain()
            thread.join()
            stage.server.join()
            #expect(crowd.failures.withLock { $0 } == [])
        }
    }

    @Test func aDrainHasAnEnd() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            _ = try peer.receiveAll()
        }
        try withStage(origin, settings: { $0.limits.drainMilliseconds = 100 }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            try stage.turn()
            stage.server.drain()
            stage.server.join()
            #expect(throws: (any Error).self) { _ = try client.receiveAnswer() }
        }
    }

    @Test(arguments: [1, 2]) func stoppingWaitsForNobody(threads: Int) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            _ = try peer.receiveAll()
        }
        try withStage(origin, threads: threads) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            try stage.turn()
            stage.server.stop()
            stage.server.join()
            #expect(throws: (any Error).self) { _ = try client.receiveAnswer() }
            #expect(throws: Errno.connectionRefused) { _ = try stage.client() }
        }
    }
}

/// Clients that come one after another, each with a connection of its own, until they are refused.
private final class Crowd: Sendable {
    let address: SocketAddress
    let answered = Gate()
    let failures = Locked<[String]>([])

    init(address: SocketAddress) { self.address = address }

    func comeUntilRefused() {
        while true {
            do {
                let client = try Peer.connect(to: address)
                try client.send(request("GET", "/"))
                let answer = try client.receiveAnswer()
                guard answer.text == "text" else { throw Unexpected(description: answer.start) }
                answered.open()
            } catch let error as Errno where error == .connectionRefused || error == .noSuchFileOrDirectory {
                return
            } catch {
                failures.withLock { $0.append("\(error)") }
                return
            }
        }
    }
}
