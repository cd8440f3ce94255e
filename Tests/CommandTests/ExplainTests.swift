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

    func outcome(_ arguments: [String], files: [String: String] = [:]) throws -> String {
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
                == "The route has no policy: Larder passes the request on and stores nothing.")
        #expect(
            try outcome(["http://static.example.com/", "-X", "HEAD"] + pasted, files: files)
                == "Miss, not stored (method).")
        #expect(
            try outcome(["http://static.example.com/", "-X", "POST"] + pasted, files: files)
                == "Bypass (method): Larder does not use the store for this request.")
        let head = String(Self.answer.dropLast(8))
        #expect(
            try outcome(["http://example.com/", "--response", "head"], files: ["head": head])
                == "Larder stores the response if its body arrives whole and within maxBody. It is fresh "
                    + "for 50 s after receipt."
        )
        let asked = "HTTP/1.1 200 OK\nCache-Control: no-cache\nETag: \"a\"\nContent-Length: 1\n\nx"
        #expect(
            try outcome(
                ["http://example.com/", "--policy", "rfc9111", "--response", "a"], files: ["a": asked])
                == "Larder stores the response. Larder asks the origin before each use.")
        #expect(
            try outcome(["http://example.com/", "-H", "Cache-Control: only-if-cached"])
                == "only-if-cached: Larder asks no server. It answers from the store, or with 504.")
    }

    /// What serving answers without an origin is no more stored when an answer is pasted.
    @Test func onlyIfCachedStoresNothing() throws {
        let run = try CommandTests.run(
            ["explain", "http://example.com/", "-H", "Cache-Control: only-if-cached", "--response", "a"],
            files: ["a": Self.answer])
        #expect(run.status == 0)
        #expect(run.output.hasSuffix("Larder asks no server. It answers from the store, or with 504.\n"))
    }

    /// `stored` is said of what came whole with its head, in one read.
    @Test(arguments: [(60_000, true), (70_000, false), (200_000, false)])
    func saysStoredWhereServingDoes(_ count: Int, _ isSaid: Bool) throws {
        let answer =
            "HTTP/1.1 200 OK\nCache-Control: max-age=60\nContent-Length: \(count)\n\n"
            + String(repeating: "x", count: count)
        let run = try CommandTests.run(
            ["explain", "http://example.com/", "--policy", "static-assets", "--response", "a"],
            files: ["a": answer])
        #expect(run.output.contains("  Larder stores the response. It is fresh for 60 s after receipt.\n"))
        #expect(run.output.contains("\n  Cache-Status: larder; fwd=miss\(isSaid ? "; stored" : "")\n"))
    }

    /// What may be compressed is stored with the `Vary` that says so, and that counts.
    @Test func theHeadIsCountedAsItIsStored() throws {
        func answer(_ type: String) -> String {
            let head =
                "HTTP/1.1 200 OK\nDate: Thu, 01 Jan 2026 00:00:00 GMT\nContent-Type: \(type)\n"
                + "Cache-Control: max-age=60\nContent-Length: 600\nX: "
            return head + String(repeating: "x", count: 4_080 - head.utf8.count - 8) + "\n\n"
                + String(repeating: "a", count: 600)
        }
        #expect(
            try outcome(
                ["http://example.com/", "--response", "a"], files: ["a": answer("image/jpg")])
                == "Larder stores the response. It is fresh for 50 s after receipt.")
        #expect(
            try outcome(["http://example.com/", "--response", "a"], files: ["a": answer("text/css ")])
                == "Miss, not stored (head-too-large).")
    }

    /// Where the balance does not go by the key, the servers stand in the file's order.
    @Test func aBalanceWithoutKeysHasNoOrder() throws {
        var files = Self.sample.files.merging(["a": Self.answer]) { $1 }
        for (balance, how) in [("round-robin", "in turn"), ("least-requests", "by load")] {
            files["larder.yaml"] = Self.sample.files["larder.yaml"]?.replacing(
                "  assets:\n", with: "  assets:\n    balance: \(balance)\n")
            let run = try CommandTests.run(
                [
                    "explain", "http://static.example.com/assets/x.js", "-c", "larder.yaml", "--response",
                    "a",
                ], files: files)
            #expect(
                run.output.contains(
                    """
                    Server (\(balance): any server, \(how))
                      1         a 127.0.0.1:1
                      2         b 127.0.0.1:2
                      3         c 127.0.0.1:3

                    """))
        }
    }

    /// What files are served with is what the configuration says, and nothing else.
    @Test(arguments: [
        ("", "Miss, not stored (no-freshness)."),
        (", cacheControl: none", "Miss, not stored (no-freshness)."),
        (", cacheControl: max-age=60", "Larder stores the response. It is fresh for "),
    ])
    func filesAreStoredWhereItIsSaid(_ setting: String, _ line: String) throws {
        let run = try CommandTests.run(
            ["explain", "http://example.com/a.css", "-c", "larder.yaml"],
            files: [
                "larder.yaml": """
                listeners: [{ bind: 127.0.0.1:0 }]
                routes: [{ upstream: site }]
                upstreams: { site: { files: site\(setting) } }
                """, "site/a.css": "body{}",
            ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("\n  \(line)"))
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
