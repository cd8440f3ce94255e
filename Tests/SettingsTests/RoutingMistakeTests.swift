/// Mistakes in routes and upstreams, and contradictions between them.

import Configuration
import Testing

@Suite struct RoutingMistakeTests {
    typealias Row = MistakeTests.Row

    private static func routes(_ routes: String) -> String {
        Fixture.listeners + "routes:\n" + routes + Fixture.upstreams
    }
    private static func upstreams(_ upstreams: String) -> String {
        Fixture.listeners + Fixture.routes + "upstreams:\n" + upstreams
    }

    static let routeRows: [Row] = [
        Row(
            "a host with a port, a path without slash",
            routes("  - { host: a.com:80, path: assets/, upstream: app }\n"),
            "larder.yaml:3: error: routes[0].host: found 'a.com:80'; allowed: a host without port "
                + "(static.example.com, "
                + "'*.example.com'); did you mean 'a.com'?",
            "larder.yaml:3: error: routes[0].path: found 'assets/'; allowed: a path as in a request line: "
                + "'/' first, then visible ASCII, no '?' or '#'; did you mean '/assets/'?"),
        Row(
            "a host that is any", routes("  - { host: '*', upstream: app }\n"),
            "larder.yaml:3: error: routes[0].host: found '*'; allowed: a host without port "
                + "(static.example.com, "
                + "'*.example.com'); leave 'host' out to match any host"),
        Row(
            "no upstream", routes("  - { path: / }\n"),
            "larder.yaml:3: error: routes[0]: the key 'upstream' is missing; allowed: a name of at most 64 "
                + "letters, digits, "
                + "'.', '_' and "
                + "'-', a letter or digit first"),
        Row(
            "an upstream and a policy that are not there",
            routes("  - policy: pesimistic\n    upstream: ap\n"),
            "larder.yaml:3: error: routes[0].policy: found 'pesimistic', but there is no such policy; "
                + "allowed: none, or a shipped policy (microcache, pessimistic, rfc9111, static-assets, "
                + "varnish-offload); did you mean 'pessimistic'?",
            "larder.yaml:4: error: routes[0].upstream: found 'ap', but there is no such upstream; allowed: "
                + "app; "
                + "did you mean 'app'?"),
        Row(
            "a name twice",
            routes("  - { name: a, path: /a, upstream: app }\n  - { name: a, path: /b, upstream: app }\n"),
            "larder.yaml:4: error: routes[1].name: found 'a', which routes[0] has too; allowed: names that "
                + "differ"
        ),
        Row(
            "the same route twice",
            routes("  - { path: /a, upstream: app }\n  - { path: /a, upstream: app }\n"),
            "larder.yaml:4: error: routes[1]: found the same host and path as in routes[0]; allowed: routes "
                + "that "
                + "differ"
        ),
    ]

    private static let peers = "an IP address, a range of them (10.0.0.0/8, 2001:db8::/32), or unix"

    static let methodRows: [Row] = [
        Row(
            "methods that cannot be allowed",
            routes("  - { upstream: app, methods: { allow: [get, PURGE, TRACE, 'A B', CONNECT] } }\n"),
            "larder.yaml:3: error: routes[0].methods.allow[0]: found 'get'; allowed: a method in capitals; "
                + "did you mean 'GET'?",
            "larder.yaml:3: error: routes[0].methods.allow[1]: found 'PURGE'; not allowed here: 'purge' "
                + "lists the clients that may send methods that manage a cache",
            "larder.yaml:3: error: routes[0].methods.allow[2]: found 'TRACE'; not allowed: Larder "
                + "never passes it on",
            "larder.yaml:3: error: routes[0].methods.allow[3]: found 'A B'; allowed: a method in capitals, "
                + "such as GET",
            "larder.yaml:3: error: routes[0].methods.allow[4]: found 'CONNECT'; not allowed: Larder opens "
                + "no tunnels"
        ),
        Row(
            "no method, and no client by name",
            routes("  - { upstream: app, methods: { allow: [], purge: [localhost], ban: [unix] } }\n"),
            "larder.yaml:3: error: routes[0].methods.allow: found an empty list; allowed: a list of "
                + "methods, at least 1",
            "larder.yaml:3: error: routes[0].methods.purge[0]: found 'localhost'; allowed: \(peers)",
            "larder.yaml:3: error: routes[0].methods.ban: unknown key; allowed: allow, purge"),
    ]

    static let upstreamRows: [Row] = [
        Row(
            "neither servers nor files", upstreams("  app: { retries: 1 }"),
            "larder.yaml:4: error: upstreams.app: found neither 'servers' nor 'files'; allowed: one of them"),
        Row(
            "servers and files", upstreams("  app: { servers: [a:1], files: x }"),
            "larder.yaml:4: error: upstreams.app.files: found beside 'servers'; allowed: one of them"),
        Row(
            "keys of servers beside files", upstreams("  app: { files: x, retries: 1 }"),
            "larder.yaml:4: error: upstreams.app.retries: found beside 'files'; allowed: beside 'servers'"),
        Row(
            "keys of files beside servers", upstreams("  app: { servers: [a:1], cacheControl: no-store }"),
            "larder.yaml:4: error: upstreams.app.cacheControl: found beside 'servers'; allowed: beside "
                + "'files'"
        ),
        Row(
            "pages beside servers", upstreams("  app: { servers: [a:1], fallback: /a, notFound: /b }"),
            "larder.yaml:4: error: upstreams.app.fallback: found beside 'servers'; allowed: beside 'files'",
            "larder.yaml:4: error: upstreams.app.notFound: found beside 'servers'; allowed: beside 'files'"),
        Row(
            "malformed page paths", upstreams("  app: { files: x, fallback: index.html, notFound: / }"),
            "larder.yaml:4: error: upstreams.app.fallback: found 'index.html'; allowed: the path of a file "
                + "below 'files', such as /index.html; did you mean '/index.html'?",
            "larder.yaml:4: error: upstreams.app.notFound: found '/'; allowed: the path of a file below "
                + "'files', such as /index.html"),
        Row(
            "addresses", upstreams("  app: { servers: [10.0.0.256:80, 'http://a/', 'https://a', app, a:0] }"),
            "larder.yaml:4: error: upstreams.app.servers[0]: found '10.0.0.256:80'; allowed: host:port, "
                + "'[IPv6]:port' or "
                + "unix:/path",
            "larder.yaml:4: error: upstreams.app.servers[1]: found 'http://a/'; allowed: host:port, "
                + "'[IPv6]:port' or "
                + "unix:/path; did you mean 'a:80'?",
            "larder.yaml:4: error: upstreams.app.servers[2]: found 'https://a'; allowed: host:port, "
                + "'[IPv6]:port' or "
                + "unix:/path; for https use 'tls:' of the upstream",
            "larder.yaml:4: error: upstreams.app.servers[3]: found 'app'; allowed: host:port, '[IPv6]:port' "
                + "or "
                + "unix:/path; did you mean 'app:80'?",
            "larder.yaml:4: error: upstreams.app.servers[4]: found 'a:0'; allowed: host:port, '[IPv6]:port' "
                + "or unix:/path"
        ),
        Row(
            "a server twice",
            upstreams("  app:\n    servers:\n      - a:1\n      - { name: 'a:1', address: b:1 }"),
            "larder.yaml:7: error: upstreams.app.servers[1]: found the name 'a:1', which servers[0] has "
                + "too; allowed: a name that differs"
        ),
        Row(
            "a server without address", upstreams("  app: { servers: [{ weight: 2 }] }"),
            "larder.yaml:4: error: upstreams.app.servers[0]: found none of address, dns, srv; allowed: one "
                + "of them"
        ),
        Row(
            "slots of one address", upstreams("  app: { servers: [{ address: a:1, slots: 2 }] }"),
            "larder.yaml:4: error: upstreams.app.servers[0].slots: found beside 'address'; allowed: beside "
                + "'dns' or 'srv'"
        ),
        Row(
            "a bound where nothing is hashed",
            upstreams("  app: { servers: [a:1], balance: round-robin, boundedLoad: 150% }"),
            "larder.yaml:4: error: upstreams.app.boundedLoad: found '150%' beside 'balance: round-robin'; "
                + "allowed: none, or a percentage beside 'balance: url-hash'"
        ),
        Row(
            "too many servers",
            upstreams("  app: { servers: [\(Array(repeating: "a:1", count: 257).joined(separator: ", "))] }"),
            "larder.yaml:4: error: upstreams.app.servers: found a list of 257; allowed: a list of servers, "
                + "at least 1 and at most 256"
        ),
        Row(
            "weights of nothing", upstreams("  app: { servers: [{ address: a:1, weight: 0 }] }"),
            "larder.yaml:4: error: upstreams.app.servers: found only weights of 0; allowed: at least one "
                + "weight above 0"
        ),
        Row(
            "numbers",
            upstreams("  app: { servers: [a:1], retries: 11, boundedLoad: 150, balance: urlhash }"),
            "larder.yaml:4: error: upstreams.app.retries: found '11'; allowed: a whole number from 0 to 10",
            "larder.yaml:4: error: upstreams.app.boundedLoad: found '150'; allowed: a percentage from 101% "
                + "to 10000%, or "
                + "none; did you mean '150%'?",
            "larder.yaml:4: error: upstreams.app.balance: found 'urlhash'; allowed: url-hash, round-robin, "
                + "least-requests; did you mean 'url-hash'?"),
        Row(
            "booleans are words", upstreams("  app: { servers: [a:1], tls: { verify: yes } }"),
            "larder.yaml:4: error: upstreams.app.tls.verify: found 'yes'; allowed: true or false; did you "
                + "mean 'true'?"
        ),
        Row(
            "a name", upstreams("  app: { files: x }\n  a/b: { files: x }"),
            "larder.yaml:5: error: upstreams.a/b: found 'a/b'; allowed: a name of at most 64 letters, "
                + "digits, '.', '_' and "
                + "'-', a letter or digit first"),
    ]

    @Test(arguments: routeRows + methodRows + upstreamRows)
    func aMistakeInRoutingIsReported(_ row: Row) {
        #expect(Fixture.mistakes(row.text) == row.messages)
    }

    @Test(arguments: [
        (
            "  - { upstream: app }\n  - { path: /a, upstream: app }\n",
            "no request reaches this route: routes[0] '*' takes all of them"
        ),
        (
            "  - { host: '*.a.com', upstream: app }\n  - { host: b.a.com, upstream: app }\n",
            "no request reaches this route: routes[0] '*.a.com' takes all of them"
        ),
        (
            "  - { path: /a, upstream: app }\n  - { host: a.com, path: /ab, upstream: app }\n",
            "no request reaches this route: routes[0] '/a' takes all of them"
        ),
    ])
    func anUnreachableRouteIsReported(_ routes: String, _ message: String) throws {
        let notes = try Fixture.read(Self.routes(routes)).notes
        #expect(notes.map(\.description) == ["larder.yaml:4: warning: routes[1]: \(message)"])
    }

    @Test(arguments: [
        "  - { path: /a/, upstream: app }\n  - { path: /a, upstream: app }\n",
        "  - { host: a.com, upstream: app }\n  - { host: '*.a.com', upstream: app }\n  - { upstream: app }\n",
        "  - { host: '*.b.a.com', upstream: app }\n  - { host: '*.a.com', upstream: app }\n",
    ])
    func aReachableRouteIsNotReported(_ routes: String) throws {
        #expect(try Fixture.read(Self.routes(routes)).notes.isEmpty)
    }

    @Test func anUnusedUpstreamIsReported() throws {
        let notes = try Fixture.read(Self.upstreams("  app: { files: x }\n  b: { files: y }\n")).notes
        #expect(notes.map(\.description) == ["larder.yaml:5: warning: upstreams.b: no route uses this "
            + "upstream"])
    }

    @Test func aSettingWithoutEffectIsReported() throws {
        let text =
            Self.upstreams("  app: { servers: [a:1], boundedLoad: 200%, health: { path: /ok } }\n")
            + "admin: { bind: 127.0.0.1:9900 }\nprocess: { user: larder, runFolder: /run/larder }\n"
        let notes = try Fixture.read(text).notes
        #expect(
            notes.map(\.description) == [
                "larder.yaml:4: note: upstreams.app.health: not in effect yet: Larder does not probe "
                    + "servers; all count as healthy",
                "larder.yaml:5: note: admin: not in effect yet: there is no admin API yet; Larder does not "
                    + "listen there",
                "larder.yaml:6: note: process.runFolder: not in effect yet: Larder keeps nothing there yet",
            ])
    }
}
