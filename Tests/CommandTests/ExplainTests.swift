/// `larder explain` from outside: what it prints, what it sends, and how it ends.

import Foundation
import Testing

@Suite struct ExplainTests {
    static let answer = """
        HTTP/1.1 200 OK
        Date: Thu, 01 Jan 2026 00:00:00 GMT
        Content-Type: text/css
        Content-Length: 6
        Cache-Control: max-age=60

        body{}
        """
    static let private200 = """

        HTTP/1.1 200 OK
        Date: yesterday
        Cache-Control: private, max-age=60
        Set-Cookie: id=1
        Vary: *

        """
    static let at = ["--at", "1767225610"]

    static let sample = CommandTests.Configuration(
        """
        listeners: [{ bind: 127.0.0.1:0 }]
        routes:
          - { name: assets, host: static.example.com, path: /assets/, policy: terse, upstream: assets }
          - { name: raw, host: raw.example.com, policy: none, upstream: app }
          - { host: static.example.com, upstream: app }
        upstreams:
          assets:
            servers:
              - { name: a, address: 127.0.0.1:1 }
              - { name: b, address: 127.0.0.1:2, weight: 2 }
              - { name: c, address: 127.0.0.1:3 }
          app: { servers: [127.0.0.1:4] }
        """, terse: "{ extends: pessimistic, key: { query: { only: [v] } }, serve: { cacheStatus: debug } }")

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var arguments: [String]
        var files: [String: String] = [:]
        var testDescription: String { name }
    }

    static let golden: [Case] = [
        Case(
            name: "stored.txt",
            arguments: ["http://Example.com:80/app.css?v=2", "-H", "Accept-Encoding: gzip, br"],
            files: ["answer.txt": answer]),
        Case(
            name: "refused.txt", arguments: ["http://example.com/a;b", "-H", "Cookie: a=b"],
            files: ["answer.txt": private200]),
        Case(
            name: "routed.txt",
            arguments: ["http://static.example.com/assets/x.js?utm=1&v=3", "-c", "larder.yaml"],
            files: sample.files.merging(["answer.txt": answer]) { $1 }),
        Case(
            name: "stored.json", arguments: ["https://example.com/app.css", "--json"],
            files: ["answer.txt": answer]),
        Case(
            name: "refused.json", arguments: ["http://example.com/a;b", "-H", "Cookie: a=b", "--json"],
            files: ["answer.txt": private200]),
    ]

    /// After a change that is meant: run once with LARDER_GOLDEN=write, and read the difference.
    @Test(arguments: golden)
    func prints(_ row: Case) throws {
        let outcome = try CommandTests.run(
            ["explain"] + row.arguments + ["--response", "answer.txt"] + Self.at, files: row.files)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/explain/\(row.name)").standardized
        if ProcessInfo.processInfo.environment["LARDER_GOLDEN"] == "write" {
            try Data(outcome.output.utf8).write(to: file)
        }
        #expect(outcome.output == (try String(contentsOf: file, encoding: .utf8)))
        if row.name.hasSuffix(".json") {
            #expect(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) is [String: Any])
        }
    }

    /// What the documentation shows is what is printed.
    @Test func theDocumentationIsTrue() throws {
        let here = URL(filePath: #filePath).deletingLastPathComponent()
        let shown = try String(
            contentsOf: here.appending(path: "../../docs/explain.md").standardized, encoding: .utf8)
        let printed = try String(
            contentsOf: here.appending(path: "../Golden/explain/stored.txt").standardized, encoding: .utf8)
        #expect(shown.contains(printed))
        #expect(shown.contains(Self.answer))
    }

    private func outcome(_ arguments: [String], files: [String: String] = [:]) throws -> String {
        let run = try CommandTests.run(["explain"] + arguments + Self.at, files: files)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n")
        let heading = lines.firstIndex(of: "Outcome").map { $0 + 1 } ?? 0
        return lines[heading].trimmingCharacters(in: .whitespaces)
    }

    @Test func saysWhatComesOfIt() throws {
        let files = Self.sample.files.merging(["a": Self.answer, "h": Self.answer + "\n\n"]) { $1 }
        let pasted = ["-c", "larder.yaml", "--response", "a"]
        #expect(
            try outcome(["http://nobody.example.com/"] + pasted, files: files)
                == "No route takes this request: Larder answers 404.")
        #expect(
            try outcome(["http://raw.example.com/"] + pasted, files: files)
                == "The route has no policy: the request goes through, and nothing is stored.")
        #expect(
            try outcome(["http://static.example.com/", "-X", "HEAD"] + pasted, files: files)
                == "Miss, not stored (method).")
        #expect(
            try outcome(["http://static.example.com/", "-X", "POST"] + pasted, files: files)
                == "Bypass (method): the store is neither asked nor filled.")
        let head = String(Self.answer.dropLast(8))
        #expect(
            try outcome(["http://example.com/", "--response", "head"], files: ["head": head])
                == "Larder stores it if its body comes whole and within maxBody: fresh for 50 s from receipt on."
        )
        let asked = "HTTP/1.1 200 OK\nCache-Control: no-cache\nETag: \"a\"\nContent-Length: 1\n\nx"
        #expect(
            try outcome(
                ["http://example.com/", "--policy", "rfc9111", "--response", "a"], files: ["a": asked])
                == "Larder stores it: each use asks the origin first.")
        #expect(
            try outcome(["http://example.com/", "-H", "Cache-Control: only-if-cached"])
                == "only-if-cached: Larder answers 504 unless the store has it; no server is asked.")
    }

    @Test func takesARequestFromStandardInput() throws {
        let request = "GET /x?b&a HTTP/1.1\nHost: Example.COM\nCookie: a=b\n"
        let run = try CommandTests.run(
            ["explain", "--request", "-", "--response", "a", "--json"] + Self.at,
            files: ["a": Self.answer], input: request)
        #expect(run.status == 0)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        #expect(object?["stored"] as? Bool == false)
        #expect((object?["key"] as? [String: Any])?["host"] as? String == "example.com")
        #expect(object?["cacheStatus"] as? String == "Cache-Status: larder; fwd=miss; detail=cookie")
    }

    // MARK: Fetching

    private static let live =
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    /// The first choice does not connect, the second answers; what reaches it is what Larder would send.
    @Test func fetchesAsLarderWould() throws {
        let origin = try Origin(Self.live)
        defer { origin.stop() }
        var files = Self.sample.files
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
        var status: Int
        var testDescription: String { name }
    }

    @Test(arguments: [
        Failure(name: "the answer's head did not come within 200 ms", answer: "", end: .stall, status: 504),
        Failure(name: "the server closed without an answer", answer: "", status: 502),
        Failure(name: "the server closed within the head", answer: "HTTP/1.1 200 OK\r\nA", status: 502),
        Failure(
            name: "the server's answer is no valid HTTP/1.1 (a malformed start line)",
            answer: "\u{1}\u{2}\r\n",
            status: 502),
        Failure(
            name: "the server's answer is no valid HTTP/1.1 (lengths that contradict each other)",
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
    }

    struct Body: Sendable, CustomTestStringConvertible {
        var note: String
        var answer: String
        var end = Origin.End.close
        var reason: String
        var testDescription: String { note }
    }

    /// A body that does not come whole is an answer still: one that is not stored.
    @Test(arguments: [
        Body(
            note: "the server closed within the body", answer: "Content-Length: 9\r\n\r\nhalf",
            reason: "incomplete"),
        Body(
            note: "the rest of the body did not come within 200 ms",
            answer: "Content-Length: 9\r\n\r\nhalf", end: .stall, reason: "incomplete"),
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
        let run = try CommandTests.run([
            "explain", "http://127.0.0.1:\(origin.port)/", "--timeout", row.end == .stall ? "200ms" : "10s",
        ])
        #expect(run.status == 0)
        #expect(run.output.contains("  body      \(row.note)\n"))
        #expect(run.output.contains("  Miss, not stored (\(row.reason)).\n"))
    }

    // MARK: Wrong input

    @Test(arguments: [
        [], ["ftp://example.com/"], ["http://"], ["http://user@example.com/"], ["https://example.com/"],
        ["http://example.com/ a"], ["http://example.com/", "-H", "nonsense"],
        ["http://example.com/", "-H", "A: b\nC: d"], ["http://example.com/", "-X", "BAD METHOD"],
        ["http://example.com/", "--timeout", "soon"], ["http://example.com/", "--at", "soon"],
        ["http://example.com/", "--at", "-1"], ["http://example.com/", "--policy", "nonsense"],
        ["http://example.com/", "--policy", "a", "-c", "b"], ["http://example.com/", "--request", "r"],
        ["--request", "-", "--response", "-"], ["--request", "missing"],
        ["http://example.com/", "--response", "missing"], ["http://example.com/", "--response", "garbage"],
        ["http://example.com/", "--response", "empty"], ["http://example.com/", "--response", "h2"],
        ["--request", "garbage"], ["--request", "body"],
    ])
    func wrongInputIsTwo(_ arguments: [String]) throws {
        let run = try CommandTests.run(
            ["explain"] + arguments,
            files: [
                "garbage": "\u{7f}ELF\u{1}\u{0}\n\nmore", "empty": "",
                "h2": "HTTP/2 200\ncontent-length: 0\n",
                "body": "POST / HTTP/1.1\nHost: example.com\nContent-Length: 3\n\nabc",
            ])
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(!run.errors.isEmpty && !run.errors.contains("\u{1b}") && !run.errors.contains("\u{1}"))
    }
}

extension CommandTests {
    /// A configuration file with a policy beside it.
    struct Configuration: Sendable {
        let files: [String: String]

        init(_ text: String, terse policy: String) {
            files = ["larder.yaml": text, "cache-policies/terse.yaml": policy]
        }
    }
}
