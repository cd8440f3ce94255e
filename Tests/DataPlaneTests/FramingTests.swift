// How bodies end, in HTTP/1.1 and 1.0, in both directions; interim answers; what closes a connection.

import DataPlaneHarness
import Settings
import Testing

struct FramingTests {
    static let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    static let untilClose = "HTTP/1.0 200 OK\r\n\r\nabcdef"

    @Test(arguments: [chunked, untilClose, answer("abcdef")])
    func anHTTP10ClientGetsNoChunks(bytes: String) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(bytes)
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("GET / HTTP/1.0\r\n\r\n")
            let answer = try client.receiveAnswer()
            #expect(answer.start == "HTTP/1.1 200 OK" || answer.start == "HTTP/1.1 200 Fine")
            #expect(answer["transfer-encoding"] == nil && answer.text == "abcdef" && answer.closes)
            #expect(try client.ending() == .end)
        }
    }

    @Test(arguments: [chunked, untilClose, answer("abcdef")])
    func anHTTP11ClientKeepsItsConnection(bytes: String) throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send(bytes)
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            for _ in 0..<2 {
                try client.send(request("GET", "/"))
                let answer = try client.receiveAnswer()
                #expect(answer.text == "abcdef" && answer.isWhole && answer["connection"] == nil)
            }
        }
    }

    @Test(arguments: ["/hit", "/miss", "*"])
    func anHTTP10ClientMayKeepItsConnection(target: String) throws {
        let origin = try ScriptedOrigin(answering: {
            $0.target == "/hit" ? cacheable("text") : answer("text")
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            let method = target == "*" ? "OPTIONS" : "GET"
            for _ in 0..<3 {
                try client.send("\(method) \(target) HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                let answer = try client.receiveAnswer()
                #expect(answer["connection"] == "keep-alive")
                #expect(answer.text == (target == "*" ? "" : "text"))
            }
            try client.send("\(method) \(target) HTTP/1.0\r\nHost: a\r\n\r\n")
            #expect(try client.receiveAnswer()["connection"] != "keep-alive")
            #expect(try client.ending() == .end)
        }
    }

    @Test(arguments: ["/hit", "/miss", "/none", "*"])
    func aConnectionCloseEndsTheConnection(target: String) throws {
        let origin = try ScriptedOrigin(answering: {
            $0.target == "/hit" ? cacheable("text") : answer("text")
        })
        try withStage(
            origin,
            settings: {
                $0.routes.insert(
                    Route(name: "x", host: .exact("none.example"), path: [], policy: nil, upstream: 0), at: 0)
                $0.routes[1].host = .exact("example.com")
            }
        ) { stage in
            _ = try stage.ask("GET", "/hit")
            let client = try stage.client()
            let close = ["Connection: close"]
            var sent = request(target == "*" ? "OPTIONS" : "GET", target, close)
            if target == "/none" { sent = sent.replacing("example.com", with: "unknown.example") }
            // A request behind it is not answered.
            try client.send(sent + request("GET", "/"))
            #expect(try client.receiveAnswer().closes)
            #expect(try client.ending() == .end)
        }
    }

    @Test(arguments: [204, 304])
    func a204AndA304HaveNoBody(status: Int) throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.target == "/" ? "HTTP/1.1 \(status) X\r\nETag: \"v\"\r\n\r\n" : answer("next")
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            // The condition makes the request bypass the cache, so that the origin's own 304 comes through.
            try client.send(request("GET", "/", ["If-Match: \"v\""]) + request("GET", "/next"))
            let first = try client.receiveAnswer()
            #expect(
                first.status == status && first["transfer-encoding"] == nil && first["content-length"] == nil)
            #expect(try client.receiveAnswer().text == "next")
            #expect(origin.connections == 1)
        }
    }

    @Test func anAnswerToHeadHasTheLengthAndNoBody() throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.method == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" : answer("next")
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("HEAD", "/") + request("GET", "/next"))
            #expect(try client.receiveAnswer(toHead: true)["content-length"] == "1000")
            #expect(try client.receiveAnswer().text == "next")
        }
    }

    /// Larder drops a request's trailers: many servers fail at a request with trailers.
    @Test func theOriginGetsChunksWithoutTrailers() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                try peer.send(answer("\(request.text) \(request.trailers)"))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                    + "3\r\nabc\r\n3;x\r\ndef\r\n0\r\nX-Sum: 6\r\nContent-Length: 9\r\n\r\n")
            #expect(try client.receiveAnswer().text == "abcdef []")
            #expect(origin.requests[0]["content-length"] == nil && origin.requests[0]["trailer"] == nil)
            // The connection is used again after the trailers.
            try client.send(request("POST", "/", body: "next"))
            #expect(try client.receiveAnswer().text == "next []")
        }
    }

    /// RFC 9110 §6.5.1: a client that has not said that it takes trailers gets none.
    @Test(arguments: [
        ("TE: trailers", ["X-Sum: 6"]), ("TE: trailers\r\nConnection: TE", ["X-Sum: 6"]),
        ("TE: gzip;q=0.5, Trailers", ["X-Sum: 6"]), ("TE: gzip", []), ("Accept: */*", []),
        ("Trailer: X-Sum", []),
    ])
    func aClientThatAcceptsTrailersGetsThem(fields: String, trailers: [String]) throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.target == "/next"
                ? answer("next")
                : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                    + "6\r\nabcdef\r\n0\r\nX-Sum: 6\r\nAge: 1\r\n\r\n"
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", [fields]))
            let answer = try client.receiveAnswer()
            #expect(answer.text == "abcdef" && answer.isWhole && answer["trailer"] == nil)
            #expect(answer.trailers == trailers)
            try client.send(request("GET", "/next"))
            #expect(try client.receiveAnswer().text == "next")
            #expect(origin.requests[0]["te"] == nil && origin.connections == 1)
        }
    }

    /// Larder drops chunk extensions, whatever their length, in both directions.
    @Test(arguments: [
        ("5;a=\(String(repeating: "x", count: 3_000))", true), ("5 ; a = \"b;c\"", true), ("5;a", true),
        ("5;a=\(String(repeating: "x", count: 5_000))", false), ("5;", false), ("5;bad[=x", false),
        ("5;a=\"open", false), ("5 ", false), ("5;a=", false), ("5;a ", false), ("5;a\nb", false),
    ])
    func chunkExtensionsAreDroppedWithinTheirLimit(line: String, isTaken: Bool) throws {
        let body = "\(line)\r\nhello\r\n0\r\n\r\n"
        let origin = try ScriptedOrigin(answering: { request in
            request.method == "GET"
                ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n\(body)"
                : answer(request.text)
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
            let echo = try client.receiveAnswer()
            #expect(echo.status == (isTaken ? 200 : 400) && (!isTaken || echo.text == "hello"))
            for _ in 0..<2 {
                let other = try stage.client()
                try other.send(request("GET", "/"))
                let answer = try other.receiveAnswer()
                #expect(
                    isTaken
                        ? answer.text == "hello" && answer.isWhole : answer.status == 502 || !answer.isWhole)
            }
            #expect(origin.requests.count { $0.method == "GET" } == (isTaken ? 1 : 2))
        }
    }

    /// RFC 9112 §5.1: white space before a colon of a response's field is removed, and what is stored has
    /// none.
    @Test func whiteSpaceBeforeAColonIsRemoved() throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.target == "/length"
                ? "HTTP/1.1 200 OK\r\nContent-Length : 4\r\n\r\ntext"
                : cacheable("text", "X-Spaced : a", "X-Tab\t \t:b", "ETag : \"c\"")
        })
        try withStage(origin) { stage in
            for expected in ["fwd=miss; stored", "hit; ttl=60"] {
                let answer = try stage.ask("GET", "/")
                #expect(answer.text == "text" && answer.cacheStatus.hasPrefix(expected.prefix(9)))
                #expect(answer["X-Spaced"] == "a" && answer["X-Tab"] == "b" && answer["ETag"] == "\"c\"")
            }
            #expect(origin.requests.count == 1)
            // Not so for a field that decides about framing.
            #expect(try stage.ask("GET", "/length").status == 502)
        }
    }

    @Test func aClientThatExpects100ContinueGetsIt() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            guard let head = try peer.receiveHead() else { return }
            #expect(head["expect"] == "100-continue")
            try peer.send("HTTP/1.1 100 Continue\r\n\r\n")
            let body = try peer.receive(4)
            try peer.send(answer(body.text))
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try client.receiveAnswer().status == 100)
            try client.send("body")
            #expect(try client.receiveAnswer().text == "body")
        }
    }

    @Test func earlyHintsGoToHTTP11ClientsOnly() throws {
        let origin = try ScriptedOrigin(answering: { _ in
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
                + cacheable("text")
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/a"))
            let hint = try client.receiveAnswer()
            #expect(
                hint.status == 103 && hint["link"] == "</a>" && hint["x-hop"] == nil && hint["date"] == nil)
            #expect(try client.receiveAnswer().cacheStatus == "fwd=miss; stored")
            let old = try stage.client()
            try old.send("GET /b HTTP/1.0\r\nHost: example.com\r\n\r\n")
            #expect(try old.receiveAnswer().text == "text")
            try client.send(request("GET", "/a"))
            #expect(try client.receiveAnswer().cacheStatus.hasPrefix("hit"))
        }
    }

    @Test func anEndlessRunOfInterimAnswersIsRefused() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            while true { try peer.send("HTTP/1.1 102 Processing\r\n\r\n") }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            var answer = try client.receiveAnswer()
            while answer.status == 102 { answer = try client.receiveAnswer() }
            #expect(answer.status == 502)
        }
    }

    @Test(arguments: ["/miss", "/hit"])
    func theHostOfAbsoluteFormReplacesTheHostField(path: String) throws {
        let origin = try ScriptedOrigin(answering: {
            $0.target == "/hit" ? cacheable("text") : answer("text")
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("GET http://EXAMPLE.com:80\(path) HTTP/1.1\r\nHost: example.com\r\n\r\n")
            #expect(try client.receiveAnswer().text == "text")
            #expect(origin.requests[0].target == path)
            #expect(origin.requests[0]["host"]?.lowercased().hasPrefix("example.com") == true)
            try client.send(request("GET", path))
            #expect(try client.receiveAnswer().cacheStatus.hasPrefix(path == "/hit" ? "hit" : "fwd=miss"))
        }
    }

    @Test func aClientThatEndedItsSideGetsItsAnswers() throws {
        let origin = try ScriptedOrigin(answering: {
            $0.target == "/hit" ? cacheable("hit") : answer($0.target)
        })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/hit")
            let client = try stage.client()
            try client.send(request("GET", "/a") + request("GET", "/hit") + request("POST", "/b", body: "x"))
            client.shutdownWrite()
            #expect(try client.receiveAnswer().text == "/a")
            #expect(try client.receiveAnswer().text == "hit")
            #expect(try client.receiveAnswer().text == "/b")
            #expect(try client.ending() == .end)
        }
    }

    @Test func anEarlyAnswerToAnUnfinishedUploadClosesTheConnection() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            guard let head = try peer.receiveHead() else { return }
            origin.note(head, number)
            try peer.send(answer("no", status: 403))
            // Whatever the client still sends.
            _ = try peer.receiveAll()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart")
            let answer = try client.receiveAnswer()
            #expect(answer.status == 403 && answer.text == "no" && answer.closes)
            // The rest of the body is never taken for a request, and does not reset the connection at once.
            try client.send(request("GET", "/smuggled"))
            #expect(try client.ending() == .end)
            #expect(origin.requests.count == 1)
        }
    }
}
