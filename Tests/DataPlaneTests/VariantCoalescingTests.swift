// One fetch a variant: many clients ask at once for a response that varies, and the test counts requests at
// the origin. All clients wait for the first fetch. A client that its response does not fit then waits with
// the clients of the same variant.

import DataPlane
import DataPlaneHarness
import Settings
import Testing

/// A crowd of clients and the origin's responses.
struct CrowdRow: Sendable, CustomTestStringConvertible {
    typealias Request = @Sendable (_ client: Int) -> [String]
    typealias Reply = @Sendable (_ request: Message, _ number: Int) -> String

    let name: String
    let clients: Int
    /// Fields of the n-th client's request, from 0. The first request is at the origin before the others are
    /// sent.
    let asks: Request
    /// The response to the n-th request, from 1.
    let replies: Reply
    let fetches: ClosedRange<Int>
    /// What is stored beforehand: fields of one request each, stored a hundred seconds ago.
    var before: [[String]] = []
    /// Whether each client must get exactly what it asked for.
    var isTold = true
    var testDescription: String { name }

    init(
        _ name: String, clients: Int, fetches: ClosedRange<Int>, before: [[String]] = [],
        isTold: Bool = true, asks: @escaping Request, replies: @escaping Reply
    ) {
        self.name = name
        self.clients = clients
        self.fetches = fetches
        self.before = before
        self.isTold = isTold
        self.asks = asks
        self.replies = replies
    }

    init(
        _ name: String, clients: Int, fetches: Int, before: [[String]] = [], isTold: Bool = true,
        asks: @escaping Request, replies: @escaping Reply
    ) {
        self.init(
            name, clients: clients, fetches: fetches...fetches, before: before, isTold: isTold, asks: asks,
            replies: replies)
    }
}

private let tongues = ["en", "de", "fr", "it", "es", "pt", "nl", "sv", "da", "fi"]

private func speaks(_ count: Int) -> CrowdRow.Request {
    { client in ["Accept-Language: \(tongues[client % count])"] }
}

/// The response to a client of this language.
private func told(_ request: Message, _ fields: String...) -> String {
    let body = request["accept-language"] ?? "none"
    let lines = (["Vary: Accept-Language"] + fields).joined(separator: "\r\n")
    return fields.contains { $0.hasPrefix("Cache-Control") } ? answer(body, lines) : cacheable(body, lines)
}

struct VariantCoalescingTests {
    // (number of variants, clients) → fetches.
    private static let languages: [CrowdRow] = [(1, 50), (2, 50), (3, 60), (4, 200), (8, 80)].map { count, crowd in
        CrowdRow("\(count) languages, \(crowd) clients", clients: crowd, fetches: count, asks: speaks(count)) {
            request, _ in told(request)
        }
    }

    private static let unstorable: [CrowdRow] = [
        // One of four languages is never stored: each of its clients fetches alone, and the other languages
        // are one fetch each.
        CrowdRow(
            "the first language is private", clients: 80, fetches: 20 + 3, asks: speaks(4),
            replies: { request, _ in
                request["accept-language"] == "en" ? told(request, "Cache-Control: private") : told(request)
            }),
        CrowdRow(
            "the second language is private", clients: 80, fetches: 20 + 3, asks: speaks(4),
            replies: { request, _ in
                request["accept-language"] == "de" ? told(request, "Cache-Control: private") : told(request)
            }),
        CrowdRow(
            "no language is stored", clients: 40, fetches: 40, asks: speaks(4),
            replies: { request, _ in told(request, "Cache-Control: no-store") }),
        CrowdRow(
            "Vary by more than the policy lists", clients: 40, fetches: 40, asks: speaks(4),
            replies: { request, _ in
                cacheable(request["accept-language"] ?? "", "Vary: Accept-Language, User-Agent")
            }),
        // A client with a cookie gets a response of its own. Clients without one still share.
        CrowdRow(
            "the first has a cookie", clients: 60, fetches: 30 + 1, isTold: false,
            asks: { $0 % 2 == 0 ? ["Cookie: a=\($0)"] : [] }, replies: { _, _ in cacheable("page") }),
        CrowdRow(
            "the second has a cookie", clients: 60, fetches: 1 + 30, isTold: false,
            asks: { $0 % 2 == 1 ? ["Cookie: a=\($0)"] : [] }, replies: { _, _ in cacheable("page") }),
        CrowdRow(
            "cookies, and a page for all", clients: 60, fetches: 1, isTold: false,
            asks: { $0 % 2 == 0 ? ["Cookie: a=\($0)"] : [] },
            replies: { _, _ in answer("page", "Cache-Control: public, max-age=60") }),
        CrowdRow(
            "cookies and languages", clients: 80, fetches: 40 + 2,
            asks: { ["Accept-Language: \(tongues[$0 / 2 % 2])"] + ($0 % 2 == 0 ? ["Cookie: a=\($0)"] : []) },
            replies: { request, _ in told(request) }),
        CrowdRow(
            "credentials go alone", clients: 40, fetches: 20 + 1, isTold: false,
            asks: { $0 % 2 == 0 ? ["Authorization: Basic eDp5"] : [] }, replies: { _, _ in cacheable("page") }),
    ]

    private static let others: [CrowdRow] = [
        CrowdRow(
            "a language and none", clients: 40, fetches: 2,
            asks: { $0 % 2 == 0 ? [] : ["Accept-Language: de"] }, replies: { request, _ in told(request) }),
        CrowdRow(
            "spellings of one language", clients: 40, fetches: 1, isTold: false,
            asks: { ["Accept-Language: \(["de,en;q=0.5", "DE, en;q=0.5", "de , en; q=0.5"][$0 % 3])"] },
            replies: { request, _ in told(request) }),
        CrowdRow(
            "two lines of Vary", clients: 40, fetches: 4,
            asks: { ["Accept-Language: \(tongues[$0 % 2])", "X-Device: \($0 / 2 % 2)"] },
            replies: { request, _ in
                cacheable(request["accept-language"] ?? "", "Vary: X-Device", "Vary: Accept-Language")
            }),
        // The first response, in English, varies by one field; the others vary by two.
        CrowdRow(
            "the Vary of the response changes", clients: 40, fetches: 3,
            asks: { ["Accept-Language: \(tongues[$0 % 2])", "X-Device: \($0 / 2 % 2)"] },
            replies: { request, number in
                cacheable(
                    request["accept-language"] ?? "",
                    number == 1 ? "Vary: Accept-Language" : "Vary: Accept-Language, X-Device")
            }),
        CrowdRow(
            "codings of the origin", clients: 60, fetches: 2, isTold: false,
            asks: { $0 % 2 == 0 ? ["Accept-Encoding: br"] : [] },
            replies: { request, _ in
                request["accept-encoding"] == "br"
                    ? cacheable("br", "Vary: Accept-Encoding", "Content-Encoding: br")
                    : cacheable("plain", "Vary: Accept-Encoding")
            }),
        // A client that accepts br takes the identity response too, if that comes first.
        CrowdRow(
            "codings and languages", clients: 80, fetches: 3...4,
            asks: {
                ["Accept-Language: \(tongues[$0 / 2 % 2])"] + ($0 % 2 == 0 ? ["Accept-Encoding: br"] : [])
            },
            replies: { request, _ in
                request["accept-encoding"] == "br"
                    ? told(request, "Vary: Accept-Encoding", "Content-Encoding: br")
                    : told(request, "Vary: Accept-Encoding")
            }),
        CrowdRow(
            "conditions are no variants", clients: 40, fetches: 1, isTold: false,
            asks: { $0 == 0 ? [] : ["If-None-Match: \"\($0 % 3)\""] },
            replies: { _, _ in cacheable("page", "ETag: \"1\"") }),
        CrowdRow(
            "parts go alone", clients: 30, fetches: 15 + 1, isTold: false,
            asks: { $0 % 2 == 0 ? [] : ["Range: bytes=0-1"] },
            replies: { _, number in cacheable("page", "ETag: \"1\"") }),
    ]

    private static let stale: [CrowdRow] = [
        CrowdRow(
            "stale, four languages", clients: 80, fetches: 4, before: (0..<4).map(speaks(4)),
            asks: speaks(4),
            replies: { request, _ in
                request["if-none-match"] == nil
                    ? told(request, "ETag: \"a\"")
                    : "HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n\r\n"
            }),
        CrowdRow(
            "stale, three of four languages", clients: 80, fetches: 4, before: (0..<3).map(speaks(4)),
            asks: speaks(4), replies: { request, _ in told(request) }),
        CrowdRow(
            "stale, and it varies now", clients: 80, fetches: 4, before: [[]], asks: speaks(4),
            replies: { request, number in number == 1 ? cacheable("none") : told(request) }),
        CrowdRow(
            "stale, and it varies no more", clients: 80, fetches: 1...4, before: (0..<4).map(speaks(4)),
            isTold: false, asks: speaks(4),
            replies: { request, number in number <= 4 ? told(request) : cacheable("for all") }),
    ]

    private static let rows = languages + unstorable + others + stale

    @Test(arguments: rows, [1, 2]) func eachVariantIsFetchedOnce(row: CrowdRow, threads: Int) throws {
        let arrivals = Gate()
        let release = Gate()
        let held = row.before.count + 1
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                let number = origin.requests.count
                arrivals.open()
                if number == held { try peer.wait(for: release) }
                let reply = row.replies(request, number)
                try peer.send(reply)
            }
        }
        let clock = steered()
        try withStage(
            origin, threads: threads, clock: clock,
            settings: {
                $0.limits.connections = 4_000
                $0.policies[0].store.vary = .list(["accept-encoding", "accept-language", "x-device"])
            }
        ) { stage in
            for fields in row.before {
                let client = try stage.client()
                try client.send(request("GET", "/", fields))
                _ = try client.receiveAnswer()
            }
            if !row.before.isEmpty {
                clock.advance(milliseconds: 100_000)
                try stage.turn()
                arrivals.close()
            }
            var clients: [Peer] = []
            for number in 0..<row.clients {
                let client = try stage.client()
                try client.send(request("GET", "/", row.asks(number)))
                if number == 0 { try arrivals.wait() }
                clients.append(client)
            }
            try stage.turn()
            release.open()
            for (number, client) in clients.enumerated() {
                let answer = try client.receiveAnswer()
                guard row.isTold else { continue }
                let language = row.asks(number).first { $0.hasPrefix("Accept-Language") }?.dropFirst(17)
                #expect(answer.status == 200 && answer.text == language.map(String.init) ?? "none")
            }
            let fetches = origin.requests.count - row.before.count
            #expect(row.fetches.contains(fetches), "\(fetches) fetches")
        }
    }

    /// The key of a language whose responses are not stored is hit-for-miss alone: requests for other
    /// languages go on waiting.
    @Test func anUnstorableVariantIsRememberedForItself() throws {
        let arrivals = Gate()
        let release = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                arrivals.open()
                if origin.requests.count > 2 { try peer.wait(for: release) }
                let isPrivate = request["accept-language"] == "en"
                try peer.send(isPrivate ? told(request, "Cache-Control: private") : told(request))
            }
        }
        try withStage(
            origin, settings: { $0.policies[0].store.vary = .list(["accept-encoding", "accept-language"]) }
        ) { stage in
            // First nothing is known; then that the response varies and that English is private.
            _ = try stage.ask("GET", "/", "Accept-Language: de")
            _ = try stage.ask("GET", "/", "Accept-Language: en")
            arrivals.close()
            let clients = try (0..<6).map { number in
                let client = try stage.client()
                let language = number < 3 ? "en" : "fr"
                try client.send(request("GET", "/", ["Accept-Language: \(language)"]))
                return client
            }
            // Three requests in English at once, and one in French for all three.
            try arrivals.wait(count: 4)
            try stage.turn()
            release.open()
            for client in clients { #expect(try client.receiveAnswer().status == 200) }
            #expect(origin.requests.count == 6)
        }
    }

    /// The time that a client waits is bounded, whatever fields the origin varies by.
    @Test func noClientWaitsForEver() throws {
        let count = 12
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                let number = origin.requests.count
                try peer.send(cacheable("page", "Vary: X-\(number)", "X-Asked: \(request["x-me"] ?? "")"))
            }
        }
        try withStage(origin, settings: { $0.policies[0].store.vary = .any }) { stage in
            let clients = try (0..<count).map { client in
                let peer = try stage.client()
                let fields = ["X-Me: \(client)"] + (1...count).map { "X-\($0): \(client)" }
                try peer.send(request("GET", "/", fields))
                return peer
            }
            for client in clients { #expect(try client.receiveAnswer().status == 200) }
            #expect(origin.requests.count <= count)
        }
    }
}
