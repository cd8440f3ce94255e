// The switches of a policy, seen from outside: what the origin is sent, and what clients are told.

import DataPlaneHarness
import Settings
import Testing

struct PolicySwitchTests {
    // The origin is asked for the keyed query where the response may be stored.
    static let queries: [(setting: Policy.Query, target: String, sent: String, hit: String, miss: String)] = [
        (.keep, "/?b=2&a=1", "/?b=2&a=1", "/?b=2&a=1", "/?a=1&b=2"),
        (.sort, "/?b=2&a=1", "/?a=1&b=2", "/?a=1&b=2", "/?a=2&b=1"),
        (.ignore, "/?b=2&a=1", "/", "/?c", "/x?b=2&a=1"),
        (.only(["a"]), "/?b=2&a=1", "/?a=1", "/?a=1&b=3", "/?b=2"),
    ]

    @Test(arguments: queries)
    func theKeyedQueryIsSentToTheOrigin(
        _ row: (setting: Policy.Query, target: String, sent: String, hit: String, miss: String)
    ) throws {
        let origin = try ScriptedOrigin(answering: { cacheable($0.target) })
        try withStage(origin, settings: { $0.policies[0].query = row.setting }) { stage in
            let first = try stage.ask("GET", row.target)
            #expect(first.text == row.sent)
            #expect(try stage.ask("GET", row.hit).cacheStatus.hasPrefix("hit"))
            #expect(try stage.ask("GET", row.miss).cacheStatus == "fwd=miss; stored")
            #expect(origin.requests.count == 2)
            // A request with an unsafe method is sent with the query as it came, and invalidates the keyed
            // URL.
            _ = try stage.ask("POST", row.target)
            #expect(origin.requests.last?.target == row.target)
            #expect(try stage.ask("GET", row.target).cacheStatus == "fwd=miss; stored")
        }
    }

    static let statuses: [(Policy.CacheStatus, miss: String?, hit: String?, bypass: String?)] = [
        (.full, "larder; fwd=miss; stored", "larder; hit; ttl=", "larder; fwd=bypass; detail=conditional"),
        (.brief, "larder; fwd=miss; stored", "larder; hit; ttl=", "larder; fwd=bypass"),
        (.none, nil, nil, nil),
        (
            .debug, "larder; fwd=miss; stored; key=\"example.com/\"", "larder; hit; ttl=",
            "larder; fwd=bypass; detail=conditional; key=\"example.com/\""
        ),
    ]

    @Test(arguments: statuses)
    func cacheStatusIsSentAsThePolicySays(_ row: (Policy.CacheStatus, miss: String?, hit: String?, bypass: String?)) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, settings: { $0.policies[0].serve.cacheStatus = row.0 }) { stage in
            #expect(try stage.ask("GET", "/")["cache-status"] == row.miss)
            let hit = try stage.ask("GET", "/")
            #expect(hit.text == "text" && hit["age"] != nil)
            if let expected = row.hit {
                #expect(hit["cache-status"]?.hasPrefix(expected) == true)
                #expect(hit["cache-status"]?.hasSuffix("; key=\"example.com/\"") == (row.0 == .debug))
            } else {
                #expect(hit["cache-status"] == nil)
            }
            #expect(try stage.ask("GET", "/", "If-Match: \"v\"")["cache-status"] == row.bypass)
        }
    }

    /// Any field may select a response. A key has at most eight records: the ninth replaces the oldest.
    @Test func aResponseMayVaryByAnyField() throws {
        let origin = try ScriptedOrigin(answering: { request in
            cacheable("for \(request["x-kind"] ?? "none")", "Vary: X-Kind")
        })
        try withStage(origin, settings: { $0.policies[0].store.vary = .any }) { stage in
            for kind in 1...9 {
                #expect(try stage.ask("GET", "/", "X-Kind: \(kind)").cacheStatus == "fwd=miss; stored")
            }
            for kind in 2...9 {
                let hit = try stage.ask("GET", "/", "X-Kind: \(kind)")
                #expect(hit.text == "for \(kind)" && hit.cacheStatus.hasPrefix("hit"))
            }
            #expect(origin.requests.count == 9)
            #expect(try stage.ask("GET", "/", "X-Kind: 1").cacheStatus == "fwd=miss; stored")
        }
    }

    /// The response varies by the client's address, which the request does not carry: no client gets another
    /// client's response.
    @Test func aResponseThatVariesByTheClientsAddressIsNotShared() throws {
        let origin = try ScriptedOrigin(answering: { request in
            cacheable("for \(request["x-forwarded-for"] ?? "none")", "Vary: X-Forwarded-For")
        })
        try withStage(origin, settings: { $0.policies[0].store.vary = .any }) { stage in
            for _ in 0..<2 {
                let answer = try stage.ask("GET", "/", "X-Forwarded-For: 192.0.2.1")
                #expect(answer.text == "for 127.0.0.1" && answer.cacheStatus == "fwd=miss; detail=vary")
            }
        }
    }

    @Test func aResponseToCredentialsIsSharedOnlyIfItSaysSo() throws {
        let origin = try ScriptedOrigin(answering: { request in
            let control = request.target == "/shared" ? "Cache-Control: max-age=60, must-revalidate" : "X: y"
            return answer(request["authorization"] ?? "none", control, "Cache-Control: max-age=60")
        })
        try withStage(origin, settings: { $0.policies[0].store.authorization = .explicit }) { stage in
            for (target, credentials, expected) in [
                ("/shared", "a", "a"), ("/shared", "b", "a"), ("/own", "a", "a"), ("/own", "b", "b"),
            ] {
                let answer = try stage.ask("GET", target, "Authorization: \(credentials)")
                #expect(answer.text == expected, "\(target) \(credentials)")
            }
        }
    }
}
