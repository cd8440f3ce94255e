// Fields by which clients and proxies describe a client: which of them reach the origin, and which keep an
// answer from the store.

import DataPlane
import DataPlaneHarness
import Settings
import Testing

@Suite struct ClaimTests {
    private static let loopback = try? AddressRange(parsing: "127.0.0.0/8")

    private static func trusted(_ isTrusted: Bool) throws -> PeerSet {
        PeerSet(isTrusted ? [try #require(loopback)] : [])
    }

    /// Fields as several proxies and load balancers send them.
    static let balancers: [[String]] = [
        [
            "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443",
            "X-Amzn-Trace-Id: 1",
        ],
        [
            "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: example.com", "X-Forwarded-Port: 80",
            "X-Forwarded-Proto: http", "X-Forwarded-Server: traefik", "X-Real-Ip: 192.0.2.1",
        ],
        [
            "CF-Connecting-IP: 192.0.2.1", "CF-IPCountry: DE", "CF-RAY: 1",
            "CF-Visitor: {\"scheme\":\"https\"}",
            "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https",
        ],
        [
            "x-envoy-external-address: 192.0.2.1", "x-envoy-expected-rq-timeout-ms: 15000", "x-request-id: 1",
            "x-forwarded-proto: https",
        ],
        [
            "X-Azure-ClientIP: 192.0.2.1", "X-Azure-FDID: 1", "X-FD-HealthProbe: 0",
            "X-ORIGINAL-HOST: example.com",
            "X-Forwarded-For: 192.0.2.1",
        ],
        [
            "CloudFront-Forwarded-Proto: https", "CloudFront-Viewer-Country: DE", "X-Amz-Cf-Id: 1",
            "X-Forwarded-For: 192.0.2.1",
        ],
        ["Forwarded: for=192.0.2.1;proto=https;host=example.com"],
        ["Fastly-Client-IP: 192.0.2.1", "Fastly-SSL: 1", "X-Forwarded-Server: cache", "Fastly-FF: 1"],
        ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-User: alice", "X-Auth-Request-Email: a@example.com"],
    ]

    /// A load balancer that the configuration does not declare still gets hits.
    @Test func anUndeclaredBalancerStillGetsHits() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            for (index, fields) in Self.balancers.enumerated() {
                let client = try stage.client()
                try client.send(request("GET", "/", fields))
                let status = try client.receiveAnswer().cacheStatus
                #expect(status.hasPrefix(index == 0 ? "fwd=miss; stored" : "hit"), "\(fields)")
            }
            #expect(origin.requests.count == 1)
        }
    }

    struct Row: Sendable {
        var line: String
        /// Tested on a fetch that may be stored and on a pass, each from a trusted proxy and from another
        /// peer.
        var isSent: (stored: Bool, passed: Bool)
        var bypasses: (untrusted: Bool, trusted: Bool)

        var name: String { String(line.prefix { $0 != ":" }).lowercased() }
    }

    static let rows: [Row] = [
        ["X-Real-IP: 192.0.2.1", "CF-Connecting-IP: 192.0.2.1", "X-Forwarded-By: a", "X-Azure-FDID: 1"].map {
            Row(line: $0, isSent: (true, true), bypasses: (false, false))
        },
        [
            "X-Forwarded-Port: 443", "X-Forwarded-Server: a", "X-Forwarded-Ssl: on",
            "X-Forwarded-Scheme: https",
            "CloudFront-Forwarded-Proto: https", "CF-Visitor: a", "X-Host: a", "X-HTTP-Host-Override: a",
            "Front-End-Https: on", "Proxy: http://a/", "X_Forwarded_Port: 443", "wsgi.url_scheme: https",
        ].map { Row(line: $0, isSent: (false, true), bypasses: (false, false)) },
        [
            "X-Remote-User: root", "X-Forwarded-User: root", "SSL_CLIENT_VERIFY: SUCCESS",
            "X-Forwarded-Client-Cert: a", "REMOTE_USER: root",
        ].map { Row(line: $0, isSent: (true, true), bypasses: (false, true)) },
        [
            "SCRIPT_NAME: /about", "X-Forwarded-Prefix: /a", "X-Forwarded-Uri: /a", "X-Forwarded-Path: /a",
            "X-Original-URL: /a", "X_Rewrite_URL: /a", "X-Envoy-Original-Path: /a",
            "X-Waws-Unencoded-Url: /a",
            "x-now-route-matches: 1=a", "X-HTTP-Path-Override: /a", "X-Matched-Path: /a", "X-Invoke-Path: /a",
            "X-Middleware-Subrequest: a", "X-Forwarded-Method: PUT", "Path_Info: /a",
        ].map { Row(line: $0, isSent: (true, true), bypasses: (true, true)) },
        [
            "X_Forwarded_For: 1", "X_Forwarded_Proto: https", "X-Forwarded_Host: a", "Content_Length: 5",
            "Transfer_Encoding: chunked", "Connection_: close", "Keep_Alive: 1", "Accept_Encoding: gzip",
        ].map { line in
            let isTwin = !line.hasPrefix("Connection_")
            return Row(line: line, isSent: (!isTwin, !isTwin), bypasses: (false, false))
        },
    ].flatMap { $0 }

    @Test(arguments: rows, [false, true])
    func onlyCredibleClaimsReachTheOrigin(row: Row, isTrusted: Bool) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let peers = try Self.trusted(isTrusted)
        try withStage(origin, settings: { $0.trustedProxies = peers }) { stage in
            let isClaim = row.name != "connection_"
            for method in ["POST", "PUT", "GET", "GET"] {
                let count = origin.requests.count
                let client = try stage.client()
                try client.send(request(method, "/", [row.line, "X-Kept: 1"]))
                let status = try client.receiveAnswer().cacheStatus
                if method == "GET" {
                    let bypasses = isTrusted ? row.bypasses.trusted : row.bypasses.untrusted
                    #expect((status == "fwd=bypass; detail=unkeyed") == bypasses, "\(status)")
                    if status.hasPrefix("hit") { continue }
                }
                #expect(origin.requests.count == count + 1)
                let sent = try #require(origin.requests.last)
                #expect(sent["x-kept"] == "1")
                let isSent = method == "GET" ? row.isSent.stored : row.isSent.passed
                #expect((sent[row.name] != nil) == (isSent && (isTrusted || !isClaim)), "\(method)")
            }
        }
    }

    /// A method override goes to the origin: honest clients send it with POST.
    @Test(arguments: [
        "X-HTTP-Method-Override: PATCH", "X-HTTP-Method: PATCH", "X_HTTP_Method_Override: PATCH",
    ])
    func aMethodOverrideReachesTheOrigin(line: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin) { stage in
            let name = String(line.prefix { $0 != ":" }).lowercased()
            for method in ["POST", "GET"] {
                let answer = try stage.ask(method, "/", line)
                #expect(answer.cacheStatus.hasPrefix("fwd=bypass"))
                #expect(origin.requests.last?[name] == "PATCH")
            }
            #expect(try stage.ask("GET", "/").cacheStatus == "fwd=miss; stored")
        }
    }

    /// An untrusted client's claim about its country does not select a stored response. A trusted proxy's
    /// claim does.
    @Test func onlyATrustedClaimSelectsByVary() throws {
        let origin = try ScriptedOrigin(answering: { request in
            cacheable(request["cf-ipcountry"] ?? "none", "Vary: CF-IPCountry")
        })
        let paths = SocketPaths(1)
        let path = paths.paths[0]
        let peers = try Self.trusted(true)
        try withStage(
            origin,
            settings: {
                $0.trustedProxies = peers
                $0.policies[0].store.vary = .any
                $0.listeners.append(Settings.Listener(bind: .unix(path: path)))
            }
        ) { stage in
            func answer(_ isTrusted: Bool, _ fields: [String]) throws -> String {
                let client = try DataPlaneHarness.Peer.connect(to: stage.server.addresses[isTrusted ? 0 : 1])
                try client.send(request("GET", "/", fields))
                let answer = try client.receiveAnswer()
                return "\(answer.text) \(answer.cacheStatus.hasPrefix("hit") ? "hit" : "miss")"
            }
            for (isTrusted, fields, expected) in [
                (false, ["CF-IPCountry: DE"], "none miss"), (false, ["CF-IPCountry: FR"], "none hit"),
                (false, [], "none hit"), (true, ["CF-IPCountry: DE"], "DE miss"), (true, [], "none hit"),
                (true, ["CF-IPCountry: FR"], "FR miss"), (true, ["CF-IPCountry: DE"], "DE hit"),
                (false, ["CF-IPCountry: DE"], "none hit"),
            ] {
                let found = try answer(isTrusted, fields)
                #expect(found == expected, "\(isTrusted) \(fields)")
            }
        }
    }
}
