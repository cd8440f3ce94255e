// Hits and misses: a stored response answers later requests as RFC 9110 and RFC 9111 require.

import DataPlaneHarness
import Settings
import Testing

struct HitTests {
    @Test func aMissIsStoredAndThenServed() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                try peer.send(cacheable("body of \(request.target)"))
            }
        }
        try withStage(origin) { stage in
            let miss = try stage.ask("GET", "/a")
            #expect(miss.status == 200 && miss.text == "body of /a" && miss["age"] == nil)
            #expect(miss.cacheStatus == "fwd=miss; stored")
            let hit = try stage.ask("GET", "/a")
            #expect(hit.status == 200 && hit.text == "body of /a" && hit["cache-control"] == "max-age=60")
            #expect(hit.cacheStatus == "hit; ttl=60" || hit.cacheStatus == "hit; ttl=59")
            #expect(hit["age"] == "0" || hit["age"] == "1")
            #expect(hit["date"] != nil)
            #expect(origin.requests.count == 1)
            #expect(try stage.ask("GET", "/b").text == "body of /b")
            #expect(try stage.ask("GET", "/a?q").text == "body of /a?q")
            #expect(origin.requests.count == 3)
        }
    }

    @Test func headIsAnsweredFromAStoredGet() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("twelve bytes") })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            let client = try stage.client()
            try client.send(request("HEAD", "/") + request("GET", "/"))
            let head = try client.receiveAnswer(toHead: true)
            #expect(head.status == 200 && head["content-length"] == "12" && head.cacheStatus.hasPrefix("hit"))
            #expect(try client.receiveAnswer().text == "twelve bytes")
            #expect(origin.requests.count == 1)
        }
    }

    @Test func aHeadMissStoresNothing() throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.method == "HEAD"
                ? "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\n"
                : cacheable("nine here")
        })
        try withStage(origin) { stage in
            let head = try stage.ask("HEAD", "/")
            #expect(head["content-length"] == "9" && head.cacheStatus == "fwd=miss; detail=method")
            #expect(try stage.ask("GET", "/").cacheStatus == "fwd=miss; stored")
        }
    }

    @Test(arguments: [
        ("If-None-Match: \"v1\"", 304), ("If-None-Match: \"v0\", W/\"v1\"", 304), ("If-None-Match: *", 304),
        ("If-None-Match: \"v2\"", 200), ("If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT", 304),
        ("If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT", 200),
    ])
    func larderEvaluatesConditionsOnAHit(condition: String, status: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in
            cacheable("the body", "ETag: \"v1\"", "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT")
        })
        try withStage(origin) { stage in
            // On a miss the whole response is fetched and stored, whatever copy the client has.
            let miss = try stage.ask("GET", "/", condition)
            #expect(miss.status == status && miss.text == (status == 304 ? "" : "the body"))
            #expect(
                origin.requests[0]["if-none-match"] == nil && origin.requests[0]["if-modified-since"] == nil)
            let client = try stage.client()
            try client.send(request("GET", "/", [condition]) + request("GET", "/"))
            let hit = try client.receiveAnswer()
            #expect(hit.status == status && hit.cacheStatus.hasPrefix("hit") && hit["etag"] == "\"v1\"")
            #expect(hit["age"] != nil)
            if status == 304 { #expect(hit["content-length"] == nil || hit["content-length"] == "8") }
            #expect(try client.receiveAnswer().text == "the body")
            #expect(origin.requests.count == 1)
        }
    }

    @Test(
        arguments: [
            ("Range: bytes=4-", 206, "body", "bytes 4-7/8"),
            ("Range: bytes=0-2\r\nIf-Range: \"v1\"", 206, "the", "bytes 0-2/8"),
            ("Range: bytes=0-2\r\nIf-Range: \"v2\"", 200, "the body", nil),
            ("Range: bytes=-4\r\nIf-None-Match: \"v1\"", 304, "", nil),
            ("Range: bytes=0-1,3-4", 200, "the body", nil), ("Range: bytes=8-", 416, "", "bytes */8"),
        ] as [(String, Int, String, String?)])
    func larderCutsRangesOnAHit(field: String, status: Int, text: String, range: String?) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("the body", "ETag: \"v1\"") })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            let client = try stage.client()
            try client.send(request("GET", "/", [field]) + request("GET", "/"))
            let part = try client.receiveAnswer()
            #expect(part.status == status && part.text == text && part["content-range"] == range)
            #expect(part.cacheStatus.hasPrefix("hit") && part["age"] != nil)
            #expect(try client.receiveAnswer().text == "the body")
            #expect(origin.requests.count == 1)
        }
    }

    /// A partial response is never stored, and the range goes to the origin unchanged.
    @Test func aRangeOnAMissIsPassedOnAndNotStored() throws {
        let origin = try ScriptedOrigin(answering: { request in
            request["range"] == nil
                ? cacheable("the body")
                : "HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=60\r\n"
                    + "Content-Range: bytes 0-2/8\r\nContent-Length: 3\r\n\r\nthe"
        })
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let part = try stage.ask("GET", "/", "Range: bytes=0-2\r\nIf-Range: \"v1\"")
                #expect(part.status == 206 && part.text == "the")
                #expect(part.cacheStatus == "fwd=miss; detail=range")
            }
            #expect(origin.requests.last?["range"] == "bytes=0-2")
            #expect(origin.requests.last?["if-range"] == "\"v1\"")
            #expect(try stage.ask("GET", "/").cacheStatus == "fwd=miss; stored")
            #expect(try stage.ask("GET", "/", "Range: bytes=0-2").text == "the")
            #expect(origin.requests.count == 3)
        }
    }

    /// The client gets its 304 while the rest of the body goes into the store.
    @Test func aConditionOnAMissIsAnsweredBeforeTheBodyIsComplete() throws {
        let told = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                try peer.send(String(cacheable("the body", "ETag: \"v1\"").dropLast(4)))
                try peer.wait(for: told)
                try peer.send("body")
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", ["If-None-Match: \"v1\""]))
            let miss = try client.receiveAnswer()
            #expect(miss.status == 304 && miss.cacheStatus == "fwd=miss")
            // The connection is free before the body is complete.
            try client.send(request("OPTIONS", "*"))
            #expect(try client.receiveAnswer().status == 204)
            told.open()
            #expect(try stage.stored("/").text == "the body")
        }
    }

    @Test(arguments: ["br", "gzip", "zstd", "identity"])
    func eachCodingIsARecordOfItsOwn(coding: String) throws {
        let origin = try ScriptedOrigin(answering: { request in
            let accepted = request["accept-encoding"] ?? ""
            let chosen = ["br", "gzip", "zstd"].first { accepted.contains($0) }
            guard let chosen else { return cacheable("plain", "Vary: Accept-Encoding") }
            return cacheable("in \(chosen)", "Vary: Accept-Encoding", "Content-Encoding: \(chosen)")
        })
        try withStage(origin) { stage in
            let body = coding == "identity" ? "plain" : "in \(coding)"
            for other in ["br", "gzip", "zstd", "identity"] {
                _ = try stage.ask("GET", "/", "Accept-Encoding: \(other)")
            }
            let before = origin.requests.count
            // The identity response was stored last. It would serve every client that does not refuse it.
            let rest = coding == "identity" ? "unheard-of" : "identity;q=0"
            let hit = try stage.ask("GET", "/", "Accept-Encoding: \(coding);q=0.5, \(rest)")
            #expect(hit.text == body && hit.cacheStatus.hasPrefix("hit"))
            #expect(origin.requests.count == before)
        }
    }

    /// The only record is not served to a client that does not accept it, whatever the policy would compress.
    @Test(arguments: ["zstd, identity;q=0", "br, identity;q=0", "identity;q=0, *;q=0"])
    func aRefusedIdentityIsNotServed(accepted: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("plain") })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/", "Accept-Encoding: identity")
            #expect(try stage.ask("GET", "/", "Accept-Encoding: identity").cacheStatus.hasPrefix("hit"))
            let answer = try stage.ask("GET", "/", "Accept-Encoding: \(accepted)")
            #expect(!answer.cacheStatus.hasPrefix("hit"))
            #expect(origin.requests.count == 2)
        }
    }

    @Test func aListedVaryFieldKeepsRecordsApart() throws {
        let origin = try ScriptedOrigin(answering: { request in
            cacheable("for \(request["x-kind"] ?? "none")", "Vary: X-Kind")
        })
        try withStage(origin, settings: { $0.policies[0].store.vary = .list(["accept-encoding", "x-kind"]) })
        { stage in
            for kind in ["one", "two", "one", "two"] {
                let answer = try stage.ask("GET", "/", "X-Kind: \(kind)")
                #expect(answer.text == "for \(kind)")
            }
            #expect(try stage.ask("GET", "/").text == "for none")
            #expect(try stage.ask("GET", "/", "X-Kind: two").cacheStatus.hasPrefix("hit"))
            #expect(origin.requests.count == 3)
        }
    }

    @Test func twoThreadsShareTheStore() throws {
        let origin = try ScriptedOrigin(answering: { cacheable($0.target) })
        try withStage(origin, threads: 2) { stage in
            for index in 0..<200 {
                let path = "/\(index % 10)"
                let answer = try stage.ask("GET", path)
                #expect(answer.text == path)
            }
            #expect(origin.requests.count == 10)
        }
    }
}
