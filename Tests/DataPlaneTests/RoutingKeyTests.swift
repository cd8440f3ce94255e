// The input of the routing hash: the folded host, the path and the keyed query, as in the cache's key. It is
// the same for requests that the cache cannot answer, and the same in every Larder.

import Kernel
import DataPlaneHarness
import Settings
import Testing

struct RoutingKeyTests {
    /// Four servers whose responses name them.
    private static func origins() throws -> [ScriptedOrigin] {
        try (0..<4).map { index in
            try ScriptedOrigin { peer, number, origin in
                while let request = try origin.receive(peer, number) {
                    let text = answer("text", "X-From: \(index)")
                    try peer.send(request.method == "HEAD" ? String(text.dropLast(4)) : text)
                }
            }
        }
    }

    /// The names differ from the addresses, which the kernel picks: choices are the same in every run.
    private static func servers(_ origins: [ScriptedOrigin], _ order: [Int]) -> Upstream.Origin {
        .servers(
            order.map { index in
                var server = Upstream.Server(origins[index].address.asServer)
                server.name = "server-\(index)"
                server.weight = 1 + index % 2
                return server
            })
    }

    private static func ask(
        _ stage: Stage, _ method: String, _ target: String, host: String = "example.com",
        _ fields: String = ""
    ) throws -> String {
        let client = try stage.client()
        let body = method == "POST" ? "Content-Length: 4\r\n\r\nbody" : "\r\n"
        try client.send("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\(body)")
        let answer = try client.receiveAnswer(toHead: method == "HEAD")
        guard let from = answer["x-from"] else {
            throw Unexpected(description: "\(answer.start) to \(target)")
        }
        return from
    }

    /// Every spelling of one key goes to one server.
    @Test(arguments: [
        (Policy.Query.keep, "?a=1&b=2", ["?a=1&b=2"]),
        (.sort, "?a=1&b=2", ["?b=2&a=1", "?b=2&&a=1&"]),
        (.ignore, "", ["?a=1", "?b=2", "?"]),
        (.only(["v"]), "?v=3", ["?v=3&session=x", "?utm=1&v=3", "?v=3&"]),
    ])
    func spellingsOfAKeyGoTogether(query: Policy.Query, canonical: String, others: [String]) throws {
        let origins = try Self.origins()
        try withStage(
            origins[0], origins[1], origins[2], origins[3],
            settings: { settings in
                settings.policies[0].query = query
                settings.upstreams[0].origin = Self.servers(origins, [0, 1, 2, 3])
            }
        ) { stage in
            var used: Set<String> = []
            for index in 0..<12 {
                let path = "/img/\(index)"
                let expected = try Self.ask(stage, "GET", path + canonical)
                used.insert(expected)
                for other in others + [canonical] {
                    #expect(try Self.ask(stage, "GET", path + other) == expected)
                    // A request that bypasses the cache has a routing key all the same.
                    #expect(try Self.ask(stage, "POST", path + other) == expected)
                    #expect(
                        try Self.ask(stage, "GET", path + other, "Authorization: Basic eA==\r\n") == expected)
                    #expect(
                        try Self.ask(stage, "GET", path + other, "Cache-Control: no-store\r\n") == expected)
                }
                #expect(try Self.ask(stage, "HEAD", path + canonical) == expected)
                for host in ["EXAMPLE.com", "example.com:80", "Example.Com:80"] {
                    #expect(try Self.ask(stage, "GET", path + canonical, host: host) == expected)
                    #expect(try Self.ask(stage, "POST", path + canonical, host: host) == expected)
                }
            }
            #expect(used.count > 1)
        }
    }

    /// Different keys may go to different servers.
    @Test func otherKeysGoElsewhere() throws {
        let origins = try Self.origins()
        try withStage(
            origins[0], origins[1], origins[2], origins[3],
            settings: { $0.upstreams[0].origin = Self.servers(origins, [0, 1, 2, 3]) }
        ) { stage in
            for spell: (Int) -> (String, String) in [
                { ("/\($0)", "example.com") }, { ("/?\($0)", "example.com") },
                { ("/", "h\($0).example.com") },
                { ("/", "example.com:\(81 + $0)") },
            ] {
                let used = try (0..<40).map { index in
                    let (target, host) = spell(index)
                    return try Self.ask(stage, "GET", target, host: host)
                }
                #expect(Set(used).count == 4)
            }
        }
    }

    /// Two Larders agree, although their servers are listed in another order and the second has two threads.
    @Test func twoLardersAgree() throws {
        let origins = try Self.origins()
        var choices: [[String]] = []
        for (order, threads) in [([0, 1, 2, 3], 1), ([2, 0, 3, 1], 2)] {
            // The last stage stops the origins; the first one must not.
            let own = threads == 1 ? [try ScriptedOrigin(answering: { _ in answer("never") })] : [origins[0]]
            try withStage(
                own[0], threads: threads,
                settings: { settings in
                    settings.upstreams[0].origin = Self.servers(origins, order)
                    // A thread may take the next request before another thread has counted the end of the
                    // last one.
                    settings.upstreams[0].boundedLoadPercent = nil
                }
            ) { stage in
                choices.append(try (0..<80).map { try Self.ask(stage, "GET", "/agree/\($0)?q") })
            }
        }
        for origin in origins.dropFirst() { origin.stop() }
        #expect(choices[0] == choices[1] && Set(choices[0]).count == 4)
    }
}
