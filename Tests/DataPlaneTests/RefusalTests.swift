// Refused requests: the right status, a close, and nothing at an origin.

import DataPlaneHarness
import Settings
import Testing

struct RefusalTests {
    static let bare = "GET / HTTP/1.1\r\nHost: a\r\n"

    static let refused: [(String, Int)] = [
        // Request smuggling: two readers could see different ends.
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (bare + "X: a\n\r\n", 400), (bare + "X: a\rb\r\n\r\n", 400), (bare + "X: a\0b\r\n\r\n", 400),
        (bare + " folded: a\r\n\r\n", 400), (bare + "X: a\r\n b\r\n\r\n", 400), (bare + ": a\r\n\r\n", 400),
        (bare + "X\r\n\r\n", 400), (bare + "X Y: a\r\n\r\n", 400), (bare + "X: \u{7f}\r\n\r\n", 400),
        // Host.
        ("GET / HTTP/1.1\r\n\r\n", 400), (bare + "Host: a\r\n\r\n", 400), (bare + "Host: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400), ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400),
        // Request lines.
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\u{2}\0", 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501), ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        // Sizes.
        ("GET /\(String(repeating: "x", count: 2000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (bare + "X: \(String(repeating: "x", count: 2000))\r\n\r\n", 431),
        (bare + String(repeating: "X: y\r\n", count: 20) + "\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413),
    ]

    @Test(arguments: refused.indices)
    func aMalformedRequestIsRefused(index: Int) throws {
        let (bytes, status) = Self.refused[index]
        let origin = try ScriptedOrigin(answering: { _ in answer("never") })
        try withStage(
            origin,
            settings: {
                $0.limits.requestHeadBytes = 1000
                $0.limits.requestHeaders = 10
                $0.limits.requestBodyBytes = 100
            }
        ) { stage in
            let client = try stage.client()
            // Bytes after a refused request are not read as a request.
            try client.send(request("OPTIONS", "*") + bytes + request("GET", "/smuggled"))
            #expect(try client.receiveAnswer().status == 204)
            let answer = try client.receiveAnswer()
            #expect(answer.status == status, "\(bytes.prefix(200))")
            #expect(
                answer.closes && answer.isWhole && answer["date"] != nil
                    && answer["cache-control"] == "no-store")
            #expect(try client.ending() == .end)
            #expect(origin.requests.isEmpty)
        }
    }

    /// A fault that only shows in the body is refused when it shows. The origin's connection is closed.
    @Test(arguments: [
        ("g\r\n", 400), ("4\r\nabcdX", 400), ("4\r\nabcd\n", 400), ("4 \r\nabcd\r\n", 400), ("-1\r\n", 400),
        ("\r\n", 400),
        ("ffffffffffffffff\r\n", 400), ("4;a\u{1}\r\nabcd", 400), ("0\r\nbad trailer\r\n\r\n", 400),
        ("4\nabcd\r\n", 400),
        ("0\r\nX: \(String(repeating: "y", count: 2000))\r\n\r\n", 431),
        ("65\r\n\(String(repeating: "x", count: 101))\r\n", 413),
        ("65\r\n\(String(repeating: "x", count: 101))\r\n0\r\n\r\n", 413),
    ])
    func aMalformedBodyIsRefused(chunks: String, status: Int) throws {
        let ended = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try peer.receiveAll()
            ended.open()
        }
        try withStage(
            origin,
            settings: {
                $0.limits.requestHeadBytes = 1000
                $0.limits.requestBodyBytes = 100
            }
        ) { stage in
            let client = try stage.client()
            try client.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
                    + request("GET", "/smuggled"))
            let answer = try client.receiveAnswer()
            #expect(answer.status == status && answer.closes)
            #expect(try client.ending() == .end)
            if origin.connections > 0 { try ended.wait() }
        }
    }

    @Test func aHeadThatComesTooSlowlyIsA408() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("never") })
        try withStage(origin, settings: { $0.limits.headTimeoutMilliseconds = 100 }) { stage in
            for start in ["G", "GET / HTTP/1.1\r\nHost: a\r\n", request("OPTIONS", "*") + "GET"] {
                let client = try stage.client()
                try client.send(start)
                if start.hasPrefix("OPTIONS") { _ = try client.receiveAnswer() }
                let answer = try client.receiveAnswer()
                #expect(answer.status == 408 && answer.closes)
                #expect(try client.ending() == .end)
            }
            // A connection that never sends a byte is closed without an answer.
            let silent = try stage.client()
            #expect(try silent.ending() == .end)
        }
    }

    /// Bytes that trickle in do not extend the timeout.
    @Test func aTricklingHeadIsA408() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("never") })
        try withStage(origin, settings: { $0.limits.headTimeoutMilliseconds = 300 }) { stage in
            let client = try stage.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
            while client.isQuiet() {
                try client.send("x")
                try stage.turn()
            }
            #expect(try client.receiveHead()?.status == 408)
        }
    }

    @Test func aBodyThatDoesNotComeIsA408() throws {
        let origin = try ScriptedOrigin { peer, number, origin in _ = try peer.receiveAll() }
        try withStage(origin, settings: { $0.limits.keepAliveMilliseconds = 200 }) { stage in
            let client = try stage.client()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            let answer = try client.receiveAnswer()
            #expect(answer.status == 408 && answer.closes)
            #expect(try client.ending() == .end)
        }
    }

    @Test func anIdleClientConnectionIsClosedAtItsTimeout() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        try withStage(origin, settings: { $0.limits.keepAliveMilliseconds = 100 }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            #expect(try client.receiveAnswer().text == "text")
            #expect(try client.ending() == .end)
        }
    }
}
