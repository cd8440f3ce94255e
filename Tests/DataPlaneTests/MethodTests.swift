// Methods that a route accepts, purges among them; peers of unix sockets; targets with another scheme.

import DataPlaneHarness
import Settings
import Testing

@Suite struct MethodTests {
    private static let loopback = try? AddressRange(parsing: "127.0.0.0/8")
    private static let office = try? AddressRange(parsing: "10.0.0.0/8")
    private static let client = try? AddressRange(parsing: "192.0.2.0/24")

    @Test(arguments: ["PURGE", "BAN", "REFRESH", "purge", "SOFTPURGE"])
    func aPurgeIsRefusedUnlessTheRouteAllowsIt(method: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            _ = try stage.ask("GET", "/a")
            let answer = try stage.ask(method, "/a")
            #expect(answer.status == 405 && answer["cache-control"] == "no-store" && !answer.closes)
            #expect(answer["allow"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
            #expect(try stage.ask("GET", "/a").cacheStatus.hasPrefix("hit"))
            #expect(origin.requests.count == 1)
            // Other methods are passed on, known or unknown.
            for other in ["PROPFIND", "POST"] { #expect(try stage.ask(other, "/b").status == 200) }
        }
    }

    @Test func aRouteThatStoresNothingPassesAPurgeOn() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("done") })
        try withStage(origin, settings: { $0.routes[0].policy = nil }) { stage in
            let done = try stage.ask("PURGE", "/a")
            #expect(done.text == "done")
        }
        try withStage(
            origin,
            settings: {
                $0.routes[0].policy = nil
                $0.routes[0].methods.purge = []
            }
        ) { stage in
            let refused = try stage.ask("PURGE", "/a")
            #expect(refused.status == 405)
        }
    }

    /// Whatever the next tier answers, Larder removes its own entry of the URL: all variants, under both
    /// schemes.
    @Test(arguments: [200, 404, 405, 502])
    func anAllowedPurgeIsPassedOnAndRemovesTheEntry(status: Int) throws {
        let origin = try ScriptedOrigin(answering: { request in
            guard request.method != "PURGE" else { return answer("told", status: status) }
            return cacheable("text", "Vary: Accept-Language")
        })
        let peers = PeerSet([try #require(Self.loopback)])
        try withStage(
            origin,
            settings: {
                $0.routes[0].methods.purge = peers
                $0.trustedProxies = peers
                $0.policies[0].store.vary = .any
            }
        ) { stage in
            let requests = [[], ["Accept-Language: de"], ["X-Forwarded-Proto: https"]]
            func state(_ fields: [String], _ target: String) throws -> Bool {
                let client = try stage.client()
                try client.send(request("GET", target, fields))
                return try client.receiveAnswer().cacheStatus.hasPrefix("hit")
            }
            func expect(_ isHit: Bool, _ fields: [String], _ target: String = "/a") throws {
                let state = try state(fields, target)
                #expect(state == isHit, "\(fields) \(target)")
            }
            try expect(false, [], "/b")
            for fields in requests { try expect(false, fields) }
            for fields in requests { try expect(true, fields) }
            let answer = try stage.ask("PURGE", "/a", "X-Purge-Method: exact")
            #expect(answer.status == status && answer.text == "told")
            let told = try #require(origin.requests.last)
            #expect(told.method == "PURGE" && told.target == "/a" && told["x-purge-method"] == "exact")
            for fields in requests { try expect(false, fields) }
            try expect(true, [], "/b")
        }
    }

    /// The same when no tier can be reached.
    @Test func aPurgeRemovesTheEntryWhenNoServerAnswers() throws {
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                guard request.method == "GET" else { return }
                try peer.send(cacheable("text"))
            }
        }
        let peers = PeerSet([try #require(Self.loopback)])
        try withStage(origin, settings: { $0.routes[0].methods.purge = peers }) { stage in
            _ = try stage.ask("GET", "/a")
            #expect(try stage.ask("PURGE", "/a").status == 502)
            #expect(try stage.ask("GET", "/a").cacheStatus.hasPrefix("fwd=miss"))
        }
    }

    struct Caller: Sendable {
        var trusted: [AddressRange?]
        var fields: [String]
        var status: Int

        init(_ trusted: [AddressRange?], _ fields: [String], _ status: Int) {
            self.trusted = trusted
            self.fields = fields
            self.status = status
        }
    }

    /// Purges are allowed from 192.0.2.0/24; the peer is on loopback.
    static let callers: [Caller] = [
        Caller([], [], 403), Caller([], ["X-Forwarded-For: 192.0.2.1"], 403),
        Caller([], ["Forwarded: for=192.0.2.1"], 403),
        Caller([loopback], [], 403), Caller([loopback], ["X-Forwarded-For: 192.0.2.1"], 200),
        Caller([loopback], ["X-Forwarded-For: 192.0.2.1:4711"], 200),
        Caller([loopback], ["X-Forwarded-For: 192.0.2.1, 127.0.0.9"], 200),
        Caller([loopback], ["X-Forwarded-For: 192.0.2.1, 198.51.100.1"], 403),
        Caller([loopback], ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 198.51.100.1"], 403),
        Caller([loopback], ["X-Forwarded-For: 198.51.100.1, 192.0.2.1"], 200),
        Caller([loopback], ["X-Forwarded-For: unknown"], 403), Caller([loopback], ["X-Forwarded-For:"], 403),
        Caller([loopback], ["Forwarded: for=192.0.2.1"], 200),
        Caller([loopback], ["Forwarded: for=\"192.0.2.1:80\";proto=https"], 200),
        Caller([loopback], ["Forwarded: for=192.0.2.1, for=_hidden"], 403),
        Caller([loopback], ["Forwarded: for=192.0.2.1", "X-Forwarded-For: 198.51.100.1"], 403),
        Caller([loopback], ["Forwarded: for=198.51.100.1", "X-Forwarded-For: 192.0.2.1"], 403),
        Caller([loopback, client], ["X-Forwarded-For: 192.0.2.1"], 200),
        Caller([office], ["X-Forwarded-For: 192.0.2.1"], 403),
    ]

    @Test(arguments: callers)
    func aPurgesClientIsTheOneThatATrustedProxyNames(caller: Caller) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("told") })
        let allowed = PeerSet([try #require(Self.client)])
        try withStage(
            origin,
            settings: {
                $0.routes[0].methods.purge = allowed
                $0.trustedProxies = PeerSet(caller.trusted.compactMap { $0 })
            }
        ) { stage in
            let client = try stage.client()
            try client.send(request("PURGE", "/a", caller.fields))
            #expect(try client.receiveAnswer().status == caller.status)
            #expect(origin.requests.count == (caller.status == 200 ? 1 : 0))
        }
    }

    @Test func aRouteAcceptsTheMethodsThatItLists() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(
            origin, settings: { $0.routes[0].methods.allow = ["GET", "REPORT"] }
        ) { stage in
            for method in ["HEAD", "POST", "OPTIONS", "PROPFIND", "PURGE"] {
                let answer = try stage.ask(method, "/a")
                #expect(answer.status == 405 && answer["allow"] == "GET, REPORT", "\(method)")
            }
            #expect(try stage.ask("GET", "/a").status == 200)
            #expect(try stage.ask("REPORT", "/a").status == 200)
        }
    }

    static let own = ";host=\"example.com\";proto=http"

    /// The peer of a unix socket has no address: Larder leaves its own X-Forwarded-For out.
    @Test(arguments: [false, true], [false, true])
    func thePeerOfAUnixSocketHasNoAddress(isTrusted: Bool, isTold: Bool) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        let paths = SocketPaths(1)
        let path = paths.paths[0]
        try withStage(
            origin,
            settings: {
                $0.listeners[0].bind = .unix(path: path)
                $0.forwarded = [.xForwarded, .forwarded]
                $0.trustedProxies = PeerSet([], includesUnix: isTrusted)
                $0.routes[0].methods.purge = PeerSet([], includesUnix: true)
            }
        ) { stage in
            let client = try stage.client()
            let told = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1"]
            for method in ["GET", "POST"] {
                try client.send(request(method, "/", isTold ? told : []))
                #expect(try client.receiveAnswer().text == "text")
                let sent = try #require(origin.requests.last)
                let isBelieved = isTrusted && isTold
                #expect(sent["x-forwarded-for"] == (isBelieved ? "192.0.2.1" : nil))
                #expect(sent["x-forwarded-proto"] == (isBelieved ? "https" : "http"))
                let nodes = isBelieved ? "for=192.0.2.1, for=unknown" : "for=unknown"
                #expect(sent["forwarded"]?.hasPrefix(nodes) == true)
            }
            // Behind a trusted proxy, the addresses are the client's.
            try client.send(request("PURGE", "/", isTold ? told : []))
            #expect(try client.receiveAnswer().status == (isTrusted && isTold ? 403 : 200))
        }
    }

    /// RFC 9110 §7.4: the listener does not answer for a URL with another scheme.
    @Test(
        arguments: [
            ("http://example.com/", "", 200), ("HTTP://example.com/", "", 200),
            ("https://example.com/", "", 421), ("HTTPS://example.com/a?b", "", 421),
            ("https://example.com/", "X-Forwarded-Proto: https", 200),
            ("https://example.com/", "Forwarded: proto=https", 200),
            ("https://example.com/", "X-Forwarded-Proto: http", 421),
            ("http://example.com/", "X-Forwarded-Proto: https", 421),
            ("ws://example.com/", "", 400), ("wss://example.com/", "", 400), ("ftp://example.com/", "", 400),
        ], [false, true])
    func aTargetWithAnotherSchemeIsMisdirected(row: (target: String, field: String, status: Int), isTrusted: Bool) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let loopback = try #require(Self.loopback)
        try withStage(origin, settings: { $0.trustedProxies = isTrusted ? [loopback] : [] }) { stage in
            var status = row.status
            if !isTrusted, !row.field.isEmpty { status = row.target.hasPrefix("https") ? 421 : 200 }
            for method in ["GET", "POST", "OPTIONS"] {
                let client = try stage.client()
                try client.send(request(method, row.target, row.field.isEmpty ? [] : [row.field]))
                let answer = try client.receiveAnswer()
                #expect(answer.status == status, "\(method)")
                if status == 421 { #expect(answer["cache-control"] == "no-store") }
                // The body of a refused request is not read to its end.
                #expect(status != 421 || answer.closes == (method == "POST"))
            }
            #expect(origin.requests.count == (status == 200 ? 3 : 0))
        }
    }
}
