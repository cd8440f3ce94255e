// Origins that fail: what the client gets, which requests are retried, and that nothing of a failure is
// stored.

import Kernel
import DataPlaneHarness
import Settings
import Testing

struct OriginFailureTests {
    @Test(arguments: ["GET", "POST"])
    func aRefusedConnectionGoesToTheNextServer(method: String) throws {
        let origin = try ScriptedOrigin(answering: { answer($0.text) })
        let dead = try Stage.refusingAddress()
        try withStage(origin, servers: [dead, origin.address]) { stage in
            // Some of these keys belong to the dead server.
            for index in 0..<20 {
                let answer = try stage.ask(method, "/\(index)", body: method == "POST" ? "body" : "")
                #expect(answer.status == 200 && answer.text == (method == "POST" ? "body" : ""))
            }
            #expect(origin.requests.count == 20)
        }
    }

    @Test(arguments: [0, 1, 2])
    func allRefusedIsA502(retries: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("never") })
        let dead = try (0..<3).map { _ in try Stage.refusingAddress() }
        try withStage(origin, servers: dead, settings: { $0.upstreams[0].retries = retries }) { stage in
            let client = try stage.client()
            for _ in 0..<3 {
                try client.send(request("GET", "/"))
                let answer = try client.receiveAnswer()
                #expect(answer.status == 502 && !answer.closes && answer["cache-control"] == "no-store")
            }
        }
    }

    @Test func aHandshakeThatTimesOutIsA504() throws {
        // A listener whose queue is full completes no further handshake.
        let full = try Listener.bind(.ownLoopback(), backlog: 1)
        guard let address = full.localAddress else { throw Unexpected(description: "no address") }
        var waiting: [Peer] = []
        let origin = try ScriptedOrigin(answering: { _ in answer("never") })
        try withStage(
            origin, servers: [address],
            settings: {
                $0.upstreams[0].timeouts.connectMilliseconds = 100
                $0.upstreams[0].timeouts.responseMilliseconds = 100
            }
        ) { stage in
            for _ in 0..<2 {
                let client = try stage.client()
                try client.send(request("GET", "/"))
                waiting.append(client)
            }
            #expect(try stage.ask("GET", "/").status == 504)
            for client in waiting {
                let answer = try client.receiveAnswer()
                #expect(answer.status == 504)
            }
        }
    }

    @Test func aResponseThatDoesNotComeIsA504() throws {
        let ended = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.ending()
            ended.open()
        }
        try withStage(origin, settings: { $0.upstreams[0].timeouts.responseMilliseconds = 100 }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/") + request("OPTIONS", "*"))
            #expect(try client.receiveAnswer().status == 504)
            #expect(try client.receiveAnswer().status == 204)
            // A request that the server may have acted on is not sent again.
            #expect(origin.requests.count == 1)
            try ended.wait()
        }
    }

    @Test func aStalledBodyIsCutOff() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(String(cacheable("the body").dropLast(4)))
            try peer.ending()
        }
        try withStage(origin, settings: { $0.upstreams[0].timeouts.idleMilliseconds = 100 }) { stage in
            for count in 1...2 {
                let answer = try stage.ask("GET", "/")
                #expect(!answer.isWhole && answer.text == "the ")
                #expect(origin.requests.count == count)
            }
        }
    }

    /// An origin may close an idle connection at any moment, just as a request is on its way.
    @Test(arguments: ["close", "reset"])
    func aDeadIdleConnectionIsRetriedOnce(how: String) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                if number == 0, request.target == "/second" {
                    if how == "reset" { peer.reset() }
                    return
                }
                try peer.send(answer("from \(number)"))
            }
        }
        try withStage(origin) { stage in
            let first = try stage.ask("GET", "/first")
            #expect(first.text == "from 0")
            #expect(try stage.ask("GET", "/second").text == "from 1")
            #expect(origin.requests.map(\.target) == ["/first", "/second", "/second"])
            #expect(try stage.ask("GET", "/third").text == "from 1")
        }
    }

    @Test func aSecondDeadConnectionIsA502() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                if request.target == "/second" { return }
                try peer.send(answer("text"))
            }
        }
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/first")
            #expect(try stage.ask("GET", "/second").status == 502)
            #expect(origin.requests.count == 3)
        }
    }

    @Test(arguments: [Upstream.Connections.Reuse.safe, .always])
    func aPostIsNeverReplayed(reuse: Upstream.Connections.Reuse) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                if request.method == "POST" { return }
                try peer.send(answer("text"))
            }
        }
        try withStage(origin, settings: { $0.upstreams[0].connections.reuse = reuse }) { stage in
            _ = try stage.ask("GET", "/")
            #expect(try stage.ask("POST", "/", body: "body").status == 502)
            #expect(origin.requests.count == 2)
            // With `safe`, a POST did not even use the idle connection.
            #expect(origin.connections == (reuse == .safe ? 2 : 1))
        }
    }

    static let whole = cacheable("the body", "ETag: \"v\"")

    /// The origin closes or resets after every byte of its response.
    @Test(arguments: ["close", "reset"])
    func aResponseCutAnywhereIsNotTakenForComplete(how: String) throws {
        let bytes = Array(Self.whole.utf8)
        let headCount = bytes.count - 8
        let origin = try ScriptedOrigin { peer, number, origin in
            guard let request = try origin.receive(peer, number) else { return }
            try peer.send(Array(bytes[..<(Int(request.target.dropFirst()) ?? 0)]))
            if how == "reset" { peer.reset() }
        }
        try withStage(origin, settings: { $0.upstreams[0].retries = 0 }) { stage in
            for cut in 0..<bytes.count {
                for _ in 0..<2 {
                    let client = try stage.client()
                    try client.send(request("GET", "/\(cut)"))
                    // Where the head was not complete: 502. A reset may overtake bytes that were sent before
                    // it.
                    let answer = try client.receiveAnswer()
                    if answer.status == 502 {
                        #expect(cut < headCount || how == "reset")
                    } else {
                        #expect(cut >= headCount && answer.status == 200 && !answer.isWhole, "cut at \(cut)")
                    }
                    #expect(!answer.cacheStatus.hasPrefix("hit"), "cut at \(cut)")
                }
            }
            #expect(origin.requests.count == 2 * bytes.count)
        }
    }

    static let chunked =
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "4\r\nbody\r\n0\r\n\r\n"

    @Test(arguments: [0, 1]) func aChunkedResponseCutAnywhereIsNotTakenForComplete(minor: Int) throws {
        let bytes = Array(Self.chunked.utf8)
        let headCount = bytes.count - 14
        let origin = try ScriptedOrigin { peer, number, origin in
            guard let request = try origin.receive(peer, number) else { return }
            try peer.send(Array(bytes[..<(Int(request.target.dropFirst()) ?? 0)]))
        }
        try withStage(origin, settings: { $0.upstreams[0].retries = 0 }) { stage in
            for cut in headCount..<bytes.count {
                for _ in 0..<2 {
                    let client = try stage.client()
                    // A request follows that will not be read.
                    try client.send(
                        "GET /\(cut) HTTP/1.\(minor)\r\nHost: a\r\n\r\n" + request("GET", "/next"))
                    do {
                        let answer = try client.receiveAnswer()
                        #expect(answer.status == 200 && !answer.isWhole, "cut at \(cut)")
                    } catch is Reset {
                        // To an HTTP/1.0 client only a reset shows it.
                        #expect(minor == 0)
                    }
                }
            }
            #expect(origin.requests.count == 2 * (bytes.count - headCount))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "SSH-2.0-x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ntext",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\ntext",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n",
    ])
    func aMalformedResponseIsA502(bytes: String) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(bytes)
            _ = try peer.receiveAll()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/") + request("OPTIONS", "*"))
            let answer = try client.receiveAnswer()
            #expect(answer.status == 502 && answer["x"] == nil)
            #expect(try client.receiveAnswer().status == 204)
            #expect(origin.requests.count == 1)
        }
    }

    @Test(arguments: ["x\r\n", "4\r\nbodyX", "4\r\nbody\n", "fffffffffffffffff\r\n"])
    func malformedChunksCutTheAnswerOff(chunks: String) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
            _ = try peer.receiveAll()
        }
        try withStage(origin) { stage in
            for count in 1...2 {
                let answer = try stage.ask("GET", "/")
                #expect(!answer.isWhole && origin.requests.count == count)
            }
        }
    }

    /// The server takes no more of the body than its socket's buffer.
    @Test func aServerThatNeitherReadsNorAnswersIsA504() throws {
        let origin = try ScriptedOrigin(narrow: true) { peer, _, origin in
            _ = try peer.receive(1)
            try peer.wait(for: Gate())
        }
        try withStage(origin, settings: { $0.upstreams[0].timeouts.responseMilliseconds = 200 }) { stage in
            let client = try stage.client()
            try client.send(request("POST", "/", body: String(repeating: "x", count: 300_000)))
            #expect(try client.receiveAnswer().status == 504)
        }
    }
}
