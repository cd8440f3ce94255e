/// Routing on raw bytes: which hosts and paths a route matches, and that the first match wins.

import Settings
import Testing

@Suite struct RouteTableTests {
    private static func route(_ host: String?, _ path: String = "") -> Route {
        Route(
            name: "", host: host.map { HostPattern(parsing: $0)! } ?? .any, path: Array(path.utf8),
            policy: nil,
            upstream: 0)
    }

    private static func match(_ routes: [Route], _ host: String, _ path: String) -> Int? {
        RouteTable(routes).route(host: Array(host.utf8).span, path: Array(path.utf8).span)
    }

    @Test(arguments: [
        ("example.com", "example.com", true),
        ("example.com", "EXAMPLE.Com", true),
        ("Example.COM", "example.com", true),
        ("example.com", "example.org", false),
        ("example.com", "example.co", false),
        ("example.com", "example.comm", false),
        ("example.com", "www.example.com", false),
        ("example.com", "", false),
        ("*.example.com", "www.example.com", true),
        ("*.example.com", "WWW.Example.com", true),
        ("*.example.com", "a.b.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", ".example.com", false),
        ("*.example.com", "badexample.com", false),
        ("*.example.com", "www.example.com.evil.org", false),
        ("192.0.2.1", "192.0.2.1", true),
        ("[2001:db8::1]", "[2001:DB8::1]", true),
        ("[2001:db8::1]", "[2001:db8::2]", false), ("[2001:DB8:0::0001]", "[2001:db8::1]", true),
        ("example.com.", "example.com", true), ("*.example.com.", "www.example.com", true),
    ])
    func aHostPatternMatchesItsHosts(_ pattern: String, _ host: String, _ isTaken: Bool) {
        #expect((Self.match([Self.route(pattern)], host, "/") == 0) == isTaken)
    }

    @Test(arguments: [
        ("", "/", true), ("", "", true), ("", "*", true),
        ("/", "/", true), ("/", "", true), ("/", "/a", true), ("/", "*", false),
        ("/assets/", "/assets/a.css", true),
        ("/assets/", "/assets/", true),
        ("/assets/", "/assets", false),
        ("/assets/", "/Assets/a.css", false),
        ("/assets/", "/%61ssets/a.css", false),
        ("/assets/", "", false),
        ("/assets", "/assetsx", true),
    ])
    func aPathPrefixMatchesItsPaths(_ prefix: String, _ path: String, _ isTaken: Bool) {
        #expect((Self.match([Self.route(nil, prefix)], "example.com", path) == 0) == isTaken)
    }

    @Test func theFirstMatchWins() {
        let routes = [
            Self.route("static.example.com", "/a/"), Self.route("*.example.com"), Self.route(nil, "/a/"),
            Self.route("static.example.com"),
        ]
        #expect(Self.match(routes, "static.example.com", "/a/x") == 0)
        #expect(Self.match(routes, "static.example.com", "/b") == 1)
        #expect(Self.match(routes, "other.org", "/a/") == 2)
        #expect(Self.match(routes, "other.org", "/b") == nil)
        #expect(Self.match([], "example.com", "/") == nil)
    }

    @Test(arguments: [
        "", "*", "*.", "example.com:80", "exa mple.com", "-a.com", "a-.com", "a..b", "a.com..", ".", "*..",
        "*.*.com",
        "a.*.com",
        "[::1", "::1", "[1.2.3.4]", "[::1]:80", String(repeating: "a", count: 64) + ".com", "bücher.de",
    ])
    func aMalformedHostPatternIsRefused(_ text: String) {
        #expect(HostPattern(parsing: text) == nil)
    }
}
