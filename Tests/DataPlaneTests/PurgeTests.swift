// Purges, as an operator asks for them: what they take, what they leave, and what they win against.

import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct PurgeTests {
    /// URLs with the fields of their answers.
    private static let entries: [(target: String, fields: [String])] = [
        ("/a/1", ["Surrogate-Key: one all"]), ("/a/2?x=1", ["xkey: two all"]), ("/ab", ["Cache-Tag: one,three"]),
        ("/b", ["Cache-Groups: \"g\", \"h\""]), ("/c", []),
    ]

    private static func fill(_ stage: Stage) throws {
        for entry in entries { _ = try stage.ask("GET", entry.target) }
    }

    /// Which of the entries the store has still.
    private static func left(_ stage: Stage) throws -> [String] {
        try entries.map(\.target).filter {
            try stage.ask("GET", $0, "Cache-Control: only-if-cached").status == 200
        }
    }

    private static func origin() throws -> ScriptedOrigin {
        try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                let fields = entries.first { $0.target == request.target }?.fields ?? []
                let text = request.target + " \(origin.requests.count)"
                let lines = fields.map { "\($0)\r\n" }.joined()
                try peer.send(
                    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, stale-while-revalidate=60\r\n\(lines)"
                        + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
            }
        }
    }

    static let rows: [(Purge, [String])] = [
        (.url("http://example.com/a/1"), ["/a/2?x=1", "/ab", "/b", "/c"]),
        (.url("HTTP://EXAMPLE.com:80/a/2?x=1"), ["/a/1", "/ab", "/b", "/c"]),
        (.url("http://example.com/a/2"), ["/a/1", "/a/2?x=1", "/ab", "/b", "/c"]),
        (.url("https://example.com/a/1"), ["/a/1", "/a/2?x=1", "/ab", "/b", "/c"]),
        (.prefix("http://example.com/a/"), ["/ab", "/b", "/c"]),
        (.prefix("http://example.com/a"), ["/b", "/c"]),
        (.prefix("http://example.org/"), ["/a/1", "/a/2?x=1", "/ab", "/b", "/c"]),
        (.host("Example.com"), []), (.host("example.org"), ["/a/1", "/a/2?x=1", "/ab", "/b", "/c"]),
        (.group("g", origin: "http://example.com"), ["/a/1", "/a/2?x=1", "/ab", "/c"]),
        (.group("g", origin: "http://example.org"), ["/a/1", "/a/2?x=1", "/ab", "/b", "/c"]),
        (.key("one"), ["/a/2?x=1", "/b", "/c"]), (.key("all"), ["/ab", "/b", "/c"]), (.everything, []),
    ]

    @Test(arguments: rows) func takesWhatItNames(purge: Purge, leaves: [String]) throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            try Self.fill(stage)
            #expect(try Self.left(stage) == Self.entries.map(\.target))
            try stage.server.purge(purge)
            #expect(try Self.left(stage) == leaves)
            // What comes anew stays.
            try Self.fill(stage)
            #expect(try Self.left(stage) == Self.entries.map(\.target))
        }
    }

    /// Softly purged entries answer once more, where the origin allows it, while they are fetched anew.
    @Test(arguments: [.url("http://example.com/a/1"), .key("one"), .everything] as [Purge])
    func softlyIsStale(purge: Purge) throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            try Self.fill(stage)
            try stage.server.purge(purge, soft: true)
            let asked = origin.requests.count
            let stale = try stage.ask("GET", "/a/1")
            #expect(stale.text == "/a/1 1")
            _ = try stage.eventually("a new answer") {
                try stage.ask("GET", "/a/1").text == "/a/1 \(asked + 1)" ? true : nil
            }
        }
    }

    /// What was asked for before a purge is not stored after it.
    @Test(arguments: [.url("http://example.com/c"), .host("example.com"), .everything] as [Purge])
    func winsAgainstAFetch(purge: Purge) throws {
        let arrived = Gate()
        let release = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while try origin.receive(peer, connection) != nil {
                let number = origin.requests.count
                if number == 1 {
                    arrived.open()
                    try peer.wait(for: release)
                }
                try peer.send(cacheable("body \(number)"))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/c"))
            try arrived.wait()
            try stage.server.purge(purge)
            release.open()
            #expect(try client.receiveAnswer().text == "body 1")
            #expect(try stage.ask("GET", "/c").text == "body 2")
        }
    }

    /// More bans than are kept apart: nothing is lost, whatever else goes.
    @Test func manyPurgesAreNotLost() throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            try Self.fill(stage)
            for number in 0..<500 { try stage.server.purge(.key("none-\(number)")) }
            try stage.server.purge(.key("one"))
            let left = try Self.left(stage)
            #expect(!left.contains("/a/1") && !left.contains("/ab"))
        }
    }

    static let nonsense: [(Purge, String)] = [
        (.url("/a"), "\"/a\" is not an absolute http or https URL"),
        (.url("http://ex ample.com/"), "\"http://ex ample.com/\" is not an absolute http or https URL"),
        (.url("ftp://example.com/"), "\"ftp://example.com/\" is not an absolute http or https URL"),
        (.prefix("example.com"), "\"example.com\" is not an absolute http or https URL"),
        (.host("a/b"), "\"a/b\" is not a host"), (.host(""), "\"\" is not a host"),
        (.group("g", origin: "x"), "\"x\" is not an absolute http or https URL"), (.key(""), "the key is empty"),
    ]

    @Test(arguments: nonsense) func nonsenseIsRefused(purge: Purge, message: String) throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            try Self.fill(stage)
            let failure = #expect(throws: PurgeFailure.self) { try stage.server.purge(purge) }
            #expect(failure?.description == message)
            #expect(try Self.left(stage).count == Self.entries.count)
        }
    }
}
