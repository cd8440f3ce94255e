// Unsafe methods invalidate the stored responses of the URLs that they change (RFC 9111 §4.4).

import DataPlaneHarness
import Settings
import Testing

struct InvalidationTests {
    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "FROB"])
    func anUnsafeMethodInvalidatesItsTarget(method: String) throws {
        let origin = try ScriptedOrigin(answering: { $0.method == "GET" ? cacheable("text") : answer("done") }
        )
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/a")
            _ = try stage.ask("GET", "/b")
            let change = try stage.ask(method, "/a")
            #expect(change.text == "done" && change.cacheStatus == "fwd=bypass; detail=method")
            #expect(try stage.ask("GET", "/a").cacheStatus == "fwd=miss; stored")
            #expect(try stage.ask("GET", "/b").cacheStatus.hasPrefix("hit"))
        }
    }

    @Test(arguments: [
        ("Location: /b", true), ("Content-Location: /b", true), ("Location: http://example.com/b", true),
        ("Location: b", true), ("Location: http://other.example/b", false),
        ("Location: https://example.com/b", false),
    ])
    func aURLNamedByTheAnswerIsInvalidated(field: String, gone: Bool) throws {
        let origin = try ScriptedOrigin(answering: {
            $0.method == "GET" ? cacheable("text") : answer("", status: 201, field)
        })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/b")
            _ = try stage.ask("POST", "/a")
            #expect(try stage.ask("GET", "/b").cacheStatus.hasPrefix(gone ? "fwd=miss" : "hit"))
        }
    }

    /// The key of the named URL is made under the rules of its own route.
    @Test(arguments: ["Location: /b?x", "Content-Location: http://example.com/b?x"])
    func aURLOfAnotherRouteIsInvalidated(field: String) throws {
        let origin = try ScriptedOrigin(answering: {
            $0.method == "GET" ? cacheable("text") : answer("", status: 201, field)
        })
        try withStage(
            origin,
            settings: {
                $0.policies.append(Policy(name: "other"))
                $0.policies[1].query = .sort
                $0.routes.insert(Route(name: "b", path: Array("/b".utf8), policy: 1, upstream: 0), at: 0)
            }
        ) { stage in
            _ = try stage.ask("GET", "/b?x")
            _ = try stage.ask("POST", "/a")
            #expect(try stage.ask("GET", "/b?x").cacheStatus.hasPrefix("fwd=miss"))
        }
    }

    @Test func anErrorInvalidatesNothing() throws {
        let origin = try ScriptedOrigin(answering: {
            $0.method == "GET" ? cacheable("text") : answer("", status: 500)
        })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/")
            _ = try stage.ask("POST", "/")
            #expect(try stage.ask("GET", "/").cacheStatus.hasPrefix("hit"))
        }
    }

    /// A response that was on its way when its key was invalidated is not stored.
    @Test func aFetchOvertakenByAnInvalidationIsNotStored() throws {
        let arrived = Gate()
        let posted = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                if request.method == "GET", origin.requests.count == 1 {
                    arrived.open()
                    try peer.wait(for: posted)
                }
                try peer.send(cacheable("text"))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            try arrived.wait()
            _ = try stage.ask("POST", "/")
            posted.open()
            #expect(try client.receiveAnswer().cacheStatus == "fwd=miss; detail=invalidated")
            #expect(try stage.ask("GET", "/").cacheStatus == "fwd=miss; stored")
        }
    }
}
