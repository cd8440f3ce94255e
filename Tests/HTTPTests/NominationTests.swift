/// The fields that `Connection` nominates, the loops that `CDN-Loop` shows, and the trailers that `TE`
/// accepts.
import Bytes
import HTTP
import SeededRandom
import Testing

@Suite struct NominationTests {
    /// The names of the nominated lines.
    private static func nominated(_ fields: [String]) -> [String] {
        let bytes = latin1("HTTP/1.1 200\r\n" + fields.map { "\($0)\r\n" }.joined() + "\r\n")
        var head = ResponseHead()
        var scan = HeadScan()
        let limits = HeadLimits(head: 65_535, fields: 128)
        let result = head.parse(bytes.span, limits: limits, scan: &scan, requestMethod: .get)
        guard case .complete = result else { return ["\(result)"] }
        var names: [String] = []
        for line in 0..<head.fields.count where head.connection.nominates(line: line) {
            names.append(bytes.span.text(head.fields[line].name))
        }
        #expect(head.connection.nominatesAny == !names.isEmpty)
        return names
    }

    @Test(arguments: [
        (
            ["Connection: close, X-Foo", "A: b", "connection: bar , TE", "BAR: 1", "x-foo: 2"],
            ["BAR", "x-foo"]
        ),
        (["Connection: a", "A: 1", "B: 2", "a: 3"], ["A", "a"]), (["Connection: a,A,,a", "A: 1"], ["A"]),
        (["Connection: x", "A: 1"], []), (["A: 1"], []), (["Connection: close", "A: 1"], []),
        (
            ["Connection: keep-alive, x-very-long-name-of-a-field", "X-Very-Long-Name-Of-A-Field: 1"],
            ["X-Very-Long-Name-Of-A-Field"]
        ),
        (["Connection: x-very-long-name-of-a-fiela", "X-Very-Long-Name-Of-A-Field: 1"], []),
        // Characters that differ from another character only in the bit of the letter's case.
        (["Connection: a^", "a~: 1", "A^: 2"], ["A^"]), (["Connection: a_", "a_: 1"], ["a_"]),
        // A client must not hide the path that a request took.
        (["Connection: cdn-loop, a", "CDN-Loop: x", "A: 1"], ["A"]),
        (["Connection: HTTP2-Settings", "http2-settings: x"], ["http2-settings"]),
        (["Connection: cache-control", "Cache-Control: no-store"], ["Cache-Control"]),
    ])
    func theNominatedFieldsAreFound(_ fields: [String], _ expected: [String]) { #expect(Self.nominated(fields) == expected) }

    /// Compared with the plain reading: every field with every member.
    @Test func manyFieldsAndMembersAreMatched() {
        var random = SeededRandom(seed: 71)
        for _ in 0..<300 {
            let letters = ["a", "B", "-", "c1", "Dd"]
            func name() -> String { (0...random.below(6)).map { _ in letters[random.below(5)] }.joined() }
            let members = (0..<random.below(40)).map { _ in name() }
            let names = (0..<random.below(126)).map { _ in name() }
            let fields = names.map { "\($0): v" } + ["Connection: x, \(members.joined(separator: ","))"]
            let listed = Set(members.map { $0.lowercased() })
            #expect(Self.nominated(fields) == names.filter { listed.contains($0.lowercased()) })
        }
    }

    /// As many fields and members as a head has room for. Their product would be a million.
    @Test func theLargestHeadTakesLittleTime() {
        let names = (0..<120).map { "n\($0)" }
        let members = String(repeating: "a,", count: 20_000)
        let fields = names.map { "\($0): v" } + ["Connection: \(members)N7", "A: 1", "a: 2"]
        #expect(Self.nominated(fields) == ["n7", "A", "a"])
    }

    @Test(arguments: [
        ("CDN-Loop: larder-1", true), ("cdn-loop: LARDER-1", true), ("CDN-Loop: a, larder-1", true),
        ("CDN-Loop: a\r\nCDN-Loop: larder-1;v=1", true), ("CDN-Loop: a;x=\"y, larder-1 ;z", true),
        ("CDN-Loop: \"\r\nCDN-Loop:\t,larder-1\t ,", true), ("CDN-Loop: larder-12", false),
        ("CDN-Loop: larder-1:80", false), ("CDN-Loop: a;larder-1", false), ("CDN-Loop: a larder-1", false),
        ("CDN-Loop:", false), ("CDN-Loop: ,,;,", false), ("X: larder-1", false),
        ("CDN_Loop: larder-1", false),
    ])
    func aLoopIsFoundInCDNLoop(_ lines: String, _ isKnown: Bool) {
        let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n")
        var head = RequestHead()
        var scan = HeadScan()
        _ = head.parse(bytes.span, limits: roomy, scan: &scan)
        let found = CDNLoop.contains("larder-1".utf8.span, head.fields, bytes.span)
        #expect(found == isKnown)
    }

    @Test(arguments: [
        ("1.1", "TE: trailers", true), ("1.1", "TE: Trailers\r\nConnection: TE", true),
        ("1.1", "te: gzip;q=0.5 , trailers", true), ("1.1", "TE: gzip\r\nTE: trailers", true),
        ("1.1", "TE: gzip", false), ("1.1", "TE:", false), ("1.1", "TE: trailers;q=0", false),
        ("1.1", "TE: \"trailers\"", false), ("1.1", "X: trailers", false), ("1.0", "TE: trailers", false),
        ("1.1", "Trailer: x", false),
    ])
    func teShowsWhetherTrailersAreAccepted(_ version: String, _ lines: String, _ isTaken: Bool) {
        let bytes = latin1("GET / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n\r\n")
        var head = RequestHead()
        var scan = HeadScan()
        _ = head.parse(bytes.span, limits: roomy, scan: &scan)
        let takes = head.takesTrailers(bytes.span)
        #expect(takes == isTaken)
    }
}
