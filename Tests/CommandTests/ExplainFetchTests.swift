/// `larder explain` before an origin: what it sends, whom it asks, and that it says of failures what Larder
/// makes of them.

import Foundation
import Kernel
import Testing

@Suite struct ExplainFetchTests {
    private static let live =
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    /// The first choice does not connect, the second answers; what reaches it is what Larder would send.
    @Test func fetchesAsLarderWould() throws {
        let origin = try Origin(Self.live)
        defer { origin.stop() }
        var files = ExplainTests.sample.files
        files["larder.yaml"] = files["larder.yaml"]?.replacing(
            "127.0.0.1:2", with: "127.0.0.1:\(origin.port)")
        let run = try CommandTests.run(
            [
                "explain", "http://Static.example.com/assets/x.js?utm=1&v=3", "-c", "larder.yaml", "--json",
                "-H", "Accept-Encoding: zstd;q=0, gzip;q=0.1", "-H", "If-None-Match: \"a\"",
                "-H", "X-Forwarded-For: 1.2.3.4",
            ], files: files)
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            origin.seen == [
                "GET /assets/x.js?v=3 HTTP/1.1\r\nHost: static.example.com\r\nAccept-Encoding: gzip\r\n"
                    + "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
                    + "X-Forwarded-Host: static.example.com\r\n\r\n"
            ])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(object["stored"] as? Bool == true)
        #expect((object["sent"] as? [String])?.first == "GET /assets/x.js?v=3 HTTP/1.1")
        #expect((object["answer"] as? [String: Any])?["pasted"] as? Bool == false)
        let servers = object["servers"] as? [[String: String]]
        #expect(servers?.count == 3)
        // Those before it in the key's order refused the connection, those behind were not asked.
        let place = servers?.firstIndex { $0["name"] == "b" } ?? 3
        for (index, server) in (servers ?? []).enumerated() {
            #expect((server["failure"] != nil) == (index < place))
        }
    }

    struct Failure: Sendable, CustomTestStringConvertible {
        var name: String
        var answer: String
        var end = Origin.End.close
        /// What Larder answers; nil: it would wait on.
        var status: Int?
        var testDescription: String { name }
    }

    @Test(arguments: [
        Failure(name: "the head of the response did not come within 200 ms", answer: "", end: .stall, status: nil),
        Failure(
            name: "the head of the response did not come within 200 ms", answer: "HTTP/1.1 103 Early "
                + "Hints\r\n\r\n",
            end: .stall, status: nil),
        Failure(name: "the server closed the connection without a response", answer: "", status: 502),
        Failure(name: "the server closed the connection within the head", answer: "HTTP/1.1 200 OK\r\nA", status: 502),
        Failure(
            name: "the response is not valid HTTP/1.1 (a malformed start line)",
            answer: "\u{1}\u{2}\r\n",
            status: 502),
        Failure(
            name: "the response is not valid HTTP/1.1 (lengths that contradict each other)",
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", status: 502),
    ])
    func saysWhyThereIsNoAnswer(_ row: Failure) throws {
        let origin = try Origin(row.answer, then: row.end)
        defer { origin.stop() }
        let run = try CommandTests.run([
            "explain", "http://127.0.0.1:\(origin.port)/", "--timeout", "200ms", "--json",
        ])
        #expect(run.status == 1)
        #expect(run.errors == "larder explain: \(row.name)\n")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        #expect((object?["failure"] as? [String: Any])?["status"] as? Int == row.status)
        #expect(object?["key"] != nil && object?["answer"] == nil)
        #expect((object?["outcome"] as? String)?.contains("Larder answers") == (row.status != nil))
    }

    /// A configuration whose servers are asked in this order.
    private static func servers(_ ports: UInt16..., settings: String = "") -> [String: String] {
        let servers = ports.map { "127.0.0.1:\($0)" }.joined(separator: ", ")
        return [
            "larder.yaml": """
            listeners: [{ bind: 127.0.0.1:0 }]
            routes: [{ upstream: app }]
            upstreams: { app: { servers: [\(servers)], balance: round-robin\(settings) } }
            """
        ]
    }

    /// What closes before it has answered is no more heard of: the next server is asked, where the request
    /// may be repeated.
    @Test(arguments: [("GET", ", retries: 1", 200), ("POST", "", 502), ("GET", ", retries: 0", 502)])
    func aCloseWithoutAnAnswer(_ method: String, _ settings: String, _ status: Int) throws {
        let (closing, good) = (try Origin(""), try Origin(Self.live))
        defer {
            closing.stop()
            good.stop()
        }
        let run = try CommandTests.run(
            ["explain", "http://example.com/", "-X", method, "-c", "larder.yaml", "--json"],
            files: Self.servers(closing.port, good.port, settings: settings))
        #expect(closing.seen.count == 1 && good.seen.count == (status == 200 ? 1 : 0))
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        let servers = object?["servers"] as? [[String: String]]
        #expect(servers?.first?["failure"] == "the server closed the connection without a response")
        #expect(run.status == (status == 200 ? 0 : 1))
        #expect((object?["failure"] as? [String: Any])?["status"] as? Int == (status == 200 ? nil : status))
        #expect((object?["stored"] as? Bool) == (status == 200))
    }

    /// Half a head was an answer's beginning.
    @Test func halfAHeadIsNotAskedForAgain() throws {
        let (half, good) = (try Origin("HTTP/1.1 103 Early Hints\r\n\r\n"), try Origin(Self.live))
        defer {
            half.stop()
            good.stop()
        }
        let run = try CommandTests.run(
            ["explain", "http://example.com/", "-c", "larder.yaml"], files: Self.servers(half.port, good.port)
        )
        #expect(run.status == 1 && good.seen.isEmpty)
        #expect(run.output.contains("Larder answers 502."))
    }

    /// A connection that stands.
    private final class Held {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    /// Larder's own time-outs.
    @Test func theTimeOutsOfTheConfigurationCount() throws {
        let stalling = try Origin("", then: .stall)
        defer { stalling.stop() }
        let head = try CommandTests.run(
            ["explain", "http://example.com/", "-c", "larder.yaml"],
            files: Self.servers(stalling.port, settings: ", timeouts: { response: 100ms }"))
        #expect(head.status == 1)
        #expect(head.output.contains("Larder answers 504."))
        #expect(head.errors == "larder explain: the head of the response did not come within 100 ms\n")

        // A listener whose queue is full takes no further handshake.
        let full = try Listener.bind(.anyLoopbackPort, backlog: 1)
        guard let address = full.localAddress else { throw CocoaError(.featureUnsupported) }
        let waiting = try (0..<3).map { _ in
            let connecting = try Socket.connect(to: address)
            return Held(connecting.socket)
        }
        defer { withExtendedLifetime(waiting) {} }
        let connect = try CommandTests.run(
            ["explain", "http://example.com/", "-c", "larder.yaml"],
            files: Self.servers(address.port, settings: ", timeouts: { connect: 100ms }"))
        #expect(connect.status == 1)
        #expect(connect.output.contains("Larder answers 504."))
        #expect(connect.errors == "larder explain: \(address): no connection within 100 ms\n")
    }

    struct Body: Sendable, CustomTestStringConvertible {
        var note: String
        var answer: String
        var end = Origin.End.close
        /// nil: we gave up, not Larder.
        var reason: String?
        var settings = ""
        var testDescription: String { note + settings }
    }

    /// A body that does not come whole is an answer still: one that is not stored.
    @Test(arguments: [
        Body(
            note: "the server closed the connection within the body", answer: "Content-Length: 9\r\n\r\nhalf",
            reason: "incomplete"),
        Body(
            note: "the rest of the body did not come within 200 ms",
            answer: "Content-Length: 9\r\n\r\nhalf", end: .stall, reason: nil),
        Body(
            note: "the rest of the body did not come within 100 ms",
            answer: "Content-Length: 9\r\n\r\nhalf", end: .stall, reason: "incomplete",
            settings: ", timeouts: { idle: 100ms }"),
        Body(
            note: "a malformed chunk", answer: "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nx\r\n",
            reason: "incomplete"),
        Body(
            note: "not read: its length is known", answer: "Content-Length: 70000\r\n\r\n", end: .stall,
            reason: "too-large"),
        Body(
            note: "not read further",
            answer: "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + String(repeating: "x", count: 0x10001),
            end: .stall, reason: "too-large"),
    ])
    func aBodyThatIsNotWhole(_ row: Body) throws {
        let origin = try Origin("HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\n\(row.answer)", then: row.end)
        defer { origin.stop() }
        let isOurs = row.end == .stall && row.settings.isEmpty
        let run = try CommandTests.run(
            ["explain", "http://example.com/", "-c", "larder.yaml", "--timeout", isOurs ? "200ms" : "10s"],
            files: Self.servers(origin.port, settings: row.settings))
        #expect(run.status == 0)
        #expect(run.output.contains("  body      \(row.note)\n"))
        let line =
            row.reason.map { "Miss, not stored (\($0))." }
            ?? "Larder stores the response if its body arrives whole and within maxBody. It is fresh for "
        #expect(run.output.contains("\n  \(line)"))
    }

    /// The host of an absolute name is a host to the proxy.
    @Test func takesTheHostsThatTheProxyTakes() throws {
        let files = ["a": ExplainTests.answer]
        for host in ["example.com.", "a~b", "10.0.0"] {
            #expect(
                try ExplainTests().outcome(["http://\(host)/", "--response", "a"], files: files)
                    == "Larder stores the response. It is fresh for 50 s after receipt.")
        }
        let run = try CommandTests.run(["explain", "http://a~b/"])
        #expect(run.status == 2)
        #expect(
            run.errors.hasPrefix("larder explain: found 'a~b', which is not a host that Larder can connect "
                + "to"))
        let origin = try Origin(Self.live)
        defer { origin.stop() }
        let absolute = try CommandTests.run(["explain", "http://localhost.:\(origin.port)/"])
        #expect(absolute.status == 0, "\(absolute.errors)")
        #expect(origin.seen.first?.contains("\r\nHost: localhost:\(origin.port)\r\n") == true)
    }
}
