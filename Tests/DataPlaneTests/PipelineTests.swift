// Requests as they arrive: several at once, or in pieces cut anywhere.

import DataPlaneHarness
import Testing

@testable import DataPlane

struct PipelineTests {
    @Test func manyRequestsInOneWriteAreAnsweredInOrder() throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.target.hasPrefix("/hit")
                ? cacheable(request.target) : answer(request.target + request.text)
        })
        try withStage(origin) { stage in
            for index in 0..<3 { _ = try stage.ask("GET", "/hit\(index)") }
            var sent = ""
            var expected: [String] = []
            for index in 0..<60 {
                switch index % 5 {
                case 0: sent += request("GET", "/hit\(index % 3)")
                case 1: sent += request("GET", "/miss\(index)")
                case 2: sent += request("POST", "/post\(index)", body: "body")
                case 3: sent += request("OPTIONS", "*")
                default:
                    sent +=
                        request("PUT", "/put\(index)", ["Transfer-Encoding: chunked"])
                        .replacing("Content-Length: 0\r\n", with: "") + "3\r\nabc\r\n0\r\n\r\n"
                }
                expected.append(
                    ["/hit\(index % 3)", "/miss\(index)", "/post\(index)body", "", "/put\(index)abc"][
                        index % 5])
            }
            let client = try stage.client()
            try client.send(sent)
            for text in expected {
                let answer = try client.receiveAnswer()
                #expect(answer.text == text)
            }
            #expect(client.isQuiet())
        }
    }

    /// More bytes than the windows of both directions hold. The client reads after it has sent everything.
    @Test func aClientThatReadsLateGetsEveryHit() throws {
        let body = String(repeating: "x", count: 60_000)
        let origin = try ScriptedOrigin(answering: { _ in cacheable(body) })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            let client = try stage.client()
            try client.send(String(repeating: request("GET", "/"), count: 300))
            try stage.turn()
            for _ in 0..<300 {
                let answer = try client.receiveAnswer()
                #expect(answer.body.count == 60_000)
            }
            #expect(origin.requests.count == 1)
        }
    }

    /// The log has answers in the order in which they were sent.
    @Test func aBusyConnectionLetsOthersHaveTheirTurn() throws {
        let clock = steered()
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        let lines = try linesOf(origin, clock: clock) { stage in
            let (busy, other, waker) = (try stage.client(), try stage.client(), try stage.client())
            for client in [busy, other] {
                try client.send(request("OPTIONS", "*", ["User-Agent: before"]))
                _ = try client.receiveAnswer()
            }
            // Both clients send while a turn is stopped, so that the next turn has the requests of both.
            try clock.hold { isAwaited in
                try waker.send(request("OPTIONS", "*", ["User-Agent: before"]))
                _ = try stage.eventually("a turn has its events") { isAwaited() ? true : nil }
                try busy.send(String(repeating: request("OPTIONS", "*", ["User-Agent: busy"]), count: 200))
                try other.send(String(repeating: request("OPTIONS", "*", ["User-Agent: other"]), count: 2))
            }
            for _ in 0..<200 { _ = try busy.receiveAnswer() }
            for _ in 0..<2 { _ = try other.receiveAnswer() }
        }
        let agents = lines.compactMap { $0["user_agent"] }.filter { $0 != "before" }
        #expect(agents.count == 202)
        let before = try #require(agents.firstIndex(of: "other"))
        #expect(before <= Worker.requestBudget, "\(before) answers to the busy client came first")
    }

    /// Larder sees each piece before the next is sent.
    @Test(arguments: ["hit", "miss", "post", "chunked", "slow-origin"])
    func aRequestMayBeCutAnywhere(kind: String) throws {
        let origin = try ScriptedOrigin(answering: { message in
            message.target == "/hit" ? cacheable("hit") : answer(message.target + message.text)
        })
        let whole: String
        switch kind {
        case "post", "slow-origin": whole = request("POST", "/post", body: "the body")
        case "chunked":
            whole =
                "PUT /chunked HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "8;x=y\r\nthe body\r\n00\r\nX-A: b\r\n\r\n"
        default: whole = request("GET", "/\(kind)", ["Accept: */*"])
        }
        let expected =
            kind == "hit" || kind == "miss"
            ? (kind == "hit" ? "hit" : "/miss") : "/\(kind == "chunked" ? kind : "post")the body"
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/hit")
            let client = try stage.client()
            let bytes = Array(whole.utf8)
            for cut in 1..<bytes.count {
                try client.send(Array(bytes[..<cut]))
                try stage.turn()
                try client.send(Array(bytes[cut...]))
                let answer = try client.receiveAnswer()
                #expect(answer.status == 200 && answer.text == expected, "cut at \(cut)")
            }
        }
    }

    @Test func aRequestMayComeByteByByte() throws {
        let origin = try ScriptedOrigin(answering: { answer($0.text) })
        try withStage(origin) { stage in
            let client = try stage.client()
            for byte in Array(request("POST", "/", body: "body").utf8) {
                try client.send([byte])
                try stage.turn()
            }
            #expect(try client.receiveAnswer().text == "body")
        }
    }

    /// The origin's bytes are cut anywhere: the client and the store get the same response.
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "2\r\nbo\r\n2;a=b\r\ndy\r\n0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody",
    ])
    func aResponseMayBeCutAnywhere(whole: String) throws {
        let bytes = Array(whole.utf8)
        let seen = Gate()
        let resume = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                let cut = Int(request.target.dropFirst()) ?? 0
                try peer.send(Array(bytes[..<cut]))
                seen.open()
                try peer.wait(for: resume)
                resume.close()
                try peer.send(Array(bytes[cut...]))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            for cut in 1..<bytes.count {
                try client.send(request("GET", "/\(cut)"))
                try seen.wait()
                seen.close()
                try stage.turn()
                resume.open()
                var answer = try client.receiveAnswer()
                if answer.status == 103 { answer = try client.receiveAnswer() }
                #expect(answer.status == 200 && answer.text == "body" && answer.isWhole, "cut at \(cut)")
                let hit = try stage.ask("GET", "/\(cut)")
                #expect(hit.text == "body" && hit.cacheStatus.hasPrefix("hit"), "cut at \(cut)")
            }
            // One connection served all requests.
            #expect(origin.connections == 1)
        }
    }
}
