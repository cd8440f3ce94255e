// Responses that are not stored, requests that are not answered from the store, and the reason that the
// client is told.

import DataPlaneHarness
import Settings
import Testing

struct StorabilityTests {
    @Test(arguments: [
        ("Cache-Control: no-store", "no-store"), ("Cache-Control: max-age=60, private", "private"),
        ("Cache-Control: no-cache, max-age=60", "no-cache"), ("X-None: 1", "no-freshness"),
        ("Cache-Control: max-age=0", "expired"),
        ("Cache-Control: max-age=60\r\nSet-Cookie: a=1", "set-cookie"),
        ("Cache-Control: max-age=60\r\nVary: User-Agent", "vary"),
        ("Cache-Control: max-age=60\r\nVary: *", "vary"),
        ("Cache-Control: max-age=60\r\nAge: x", "age"), ("Cache-Control: max-age=60\r\nAge: 60", "expired"),
        ("Cache-Control: max-age=60\r\nDate: yesterday", "date"),
        ("Cache-Control: max-age=60\r\nContent-Range: bytes 0-1/2", "range"),
        ("Cache-Control: max-age=60\r\nContent-Encoding: compress", "encoding"),
        ("Cache-Control: max-age=60\r\nConnection: X-Odd", "connection"),
        ("Cache-Control: max-age=60\r\nTrailer: X-Sum", "trailers"),
    ])
    func aResponseThatIsNotPlainlyCacheableIsNotStored(fields: String, reason: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text", fields) })
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/")
                #expect(answer.status == 200 && answer.text == "text")
                #expect(answer.cacheStatus == "fwd=miss; detail=\(reason)")
            }
            #expect(origin.requests.count == 2)
        }
    }

    @Test(arguments: [203, 206, 302, 403, 500, 503])
    func anUnlistedStatusIsNotStored(status: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in
            answer("text", status: status, "Cache-Control: max-age=60")
        })
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/")
                #expect(answer.status == status && answer.cacheStatus == "fwd=miss; detail=status")
            }
        }
    }

    @Test(arguments: [
        ("Authorization: Basic eDp5", "authorization"), ("X-Original-URL: /admin", "unkeyed"),
        ("X-HTTP-Method-Override: DELETE", "unkeyed"), ("Connection: X-Odd", "connection"),
        ("If-Match: \"v\"", "conditional"),
        ("If-Unmodified-Since: Tue, 01 Jan 2030 00:00:00 GMT", "conditional"),
        ("Cache-Control: no-store", "client-no-store"),
    ])
    func aBypassingRequestIsNotAnsweredFromTheStore(field: String, reason: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            let answer = try stage.ask("GET", "/", field)
            #expect(answer.text == "text" && answer.cacheStatus == "fwd=bypass; detail=\(reason)")
            #expect(origin.requests.count == 2)
            #expect(try stage.ask("GET", "/").cacheStatus.hasPrefix("hit"))
        }
    }

    @Test(arguments: ["/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a%5Cb", "/a;b", "/a%00"])
    func aPathThatIsNotPlainBypasses(path: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", path)
                #expect(answer.cacheStatus == "fwd=bypass; detail=path")
            }
            #expect(origin.requests.map(\.target) == [path, path])
        }
    }

    /// Within a second of a fetch, no client can cause another: clients cannot hammer the origin through
    /// Larder.
    @Test(arguments: ["Cache-Control: no-cache", "Pragma: no-cache", "Cache-Control: max-age=0"])
    func aClientThatAsksForAFresherAnswerGetsOneASecond(field: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            _ = try stage.eventually("the origin is asked") {
                try stage.ask("GET", "/", field).cacheStatus.hasPrefix("fwd=request") ? true : nil
            }
            #expect(origin.requests.count == 2)
        }
    }

    @Test func onlyIfCachedNeverReachesTheOrigin() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            let miss = try stage.ask("GET", "/", "Cache-Control: only-if-cached")
            #expect(miss.status == 504 && origin.requests.isEmpty && !miss.closes)
            _ = try stage.ask("GET", "/")
            #expect(try stage.ask("GET", "/", "Cache-Control: only-if-cached").cacheStatus.hasPrefix("hit"))
        }
    }

    /// Files are kept as long as the configuration says; without such a line they are not stored.
    @Test(arguments: [nil, "max-age=60"])
    func filesAreStoredWhereTheConfigurationSaysSo(cacheControl: String?) throws {
        let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
        let origin = try ScriptedOrigin(answering: { _ in answer("never") })
        try withStage(
            origin,
            settings: {
                $0.upstreams[0].origin = .files(Upstream.Files(root: folder, cacheControl: cacheControl))
            }
        ) { stage in
            let answer = try stage.ask("GET", "/Scripted.swift")
            #expect(answer.status == 200 && answer["cache-control"] == cacheControl)
            guard cacheControl == nil else {
                #expect(try stage.stored("/Scripted.swift").text == answer.text)
                return
            }
            #expect(answer.cacheStatus == "fwd=miss; detail=no-freshness")
            #expect(try stage.ask("GET", "/Scripted.swift").cacheStatus == "fwd=miss; detail=no-freshness")
        }
    }

    @Test func aBodyEndedByTheCloseIsNotStored() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            _ = try origin.receive(peer, number)
            try peer.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nuntil the close")
        }
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/")
                #expect(answer.text == "until the close" && answer.isWhole)
                #expect(answer.cacheStatus == "fwd=miss; detail=incomplete")
            }
        }
    }

    @Test func aBodyAboveThePolicysLimitIsNotStored() throws {
        let origin = try ScriptedOrigin(answering: { request in
            switch request.target {
            case "/length": cacheable(String(repeating: "x", count: 1001))
            case "/chunks":
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3e8\r\n\(String(repeating: "x", count: 1000))\r\n1\r\nx\r\n0\r\n\r\n"
            case "/fits":
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3e7\r\n\(String(repeating: "x", count: 999))\r\n1\r\nx\r\n0\r\n\r\n"
            default: cacheable("x", "X-Long: \(String(repeating: "x", count: 600))")
            }
        })
        try withStage(
            origin,
            settings: {
                $0.policies[0].store.maxBodyBytes = 1000
                $0.policies[0].store.maxHeadBytes = 500
            }
        ) { stage in
            for (path, expected) in [
                ("/length", "fwd=miss; detail=too-large"), ("/chunks", "fwd=miss"),
                ("/head", "fwd=miss; detail=head-too-large"),
            ] {
                for _ in 0..<2 {
                    let answer = try stage.ask("GET", path)
                    #expect(answer.cacheStatus == expected && answer.isWhole, "\(path)")
                }
            }
            #expect(try stage.ask("GET", "/fits").body.count == 1000)
            #expect(try stage.ask("GET", "/fits").cacheStatus.hasPrefix("hit"))
        }
    }

    @Test func trailersAreForwardedAndKeepABodyOutOfTheStore() throws {
        let origin = try ScriptedOrigin(answering: { _ in
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "4\r\ntext\r\n0\r\nX-Sum: 9\r\n\r\n"
        })
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/", "TE: trailers")
                #expect(answer.text == "text" && answer.isWhole && answer.trailers == ["X-Sum: 9"])
            }
            #expect(origin.requests.count == 2)
        }
    }

    @Test(arguments: [("max-age=60", false), ("max-age=60, public", true), ("s-maxage=60", true)])
    func aResponseToCookiesIsStoredOnlyIfShared(directives: String, shared: Bool) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text", "Cache-Control: \(directives)") })
        try withStage(origin) { stage in
            let first = try stage.ask("GET", "/", "Cookie: a=1")
            #expect(first.cacheStatus == (shared ? "fwd=miss; stored" : "fwd=miss; detail=cookie"))
            _ = try stage.ask("GET", "/")
            let second = try stage.ask("GET", "/", "Cookie: a=2")
            #expect(second.cacheStatus.hasPrefix(shared ? "hit" : "fwd=bypass; detail=cookie"))
            #expect(origin.requests[0]["cookie"] == "a=1")
        }
    }

    @Test func strippedCookiesNeverReachTheOrigin() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, settings: { $0.policies[0].store.cookies = .strip }) { stage in
            #expect(try stage.ask("GET", "/", "Cookie: a=1").cacheStatus == "fwd=miss; stored")
            #expect(try stage.ask("GET", "/", "Cookie: a=2").cacheStatus.hasPrefix("hit"))
            _ = try stage.ask("POST", "/", "Cookie: a=3")
            #expect(origin.requests.count == 2 && origin.requests.allSatisfy { $0["cookie"] == nil })
        }
    }

    @Test func aRouteWithoutAPolicyStoresNothing() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(
            origin,
            settings: {
                $0.routes = [Route(name: "plain", path: Array("/plain".utf8), policy: nil, upstream: 0)]
            }
        ) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/plain/a")
                #expect(answer.text == "text" && answer["cache-status"] == nil)
            }
            let none = try stage.ask("GET", "/other")
            #expect(none.status == 404 && none["cache-control"] == "no-store" && !none.closes)
            #expect(origin.requests.count == 2)
        }
    }
}
