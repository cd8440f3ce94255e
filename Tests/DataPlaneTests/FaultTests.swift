// An origin fails after every byte of its response, while one client has it fetched and two more wait for the
// same. No client takes a wrong answer for a complete one, no client hangs, and the store holds only correct
// responses.

import Bytes
import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

/// What the origin does after the bytes that it sends.
private enum Fault: String, CaseIterable, Sendable {
    case closes, resets, stalls
    /// Sends bytes that are not HTTP, and closes.
    case babbles

    static var babble: String { "\0~\r\n\r\n~" }
}

/// One response that breaks off: the request, the complete answer, and what else a client may get.
private struct Answer: Sendable, CustomTestStringConvertible {
    let name: String
    /// The bytes that the origin sends.
    let bytes: [UInt8]
    /// Where the final head ends.
    let headCount: Int
    /// The body that clients get. For a 304: the body of the entry that it renews.
    let body: String
    var method = "GET"
    var minorVersion = 1
    var fields: [String] = []
    var isStored = true
    /// The close ends the body: a client that sees the close in time takes the answer for complete.
    var isDelimitedByClose = false
    /// Larder sends nothing of it before it has all of it.
    var isHeldBack = false
    /// What was stored before and is stale now.
    var entry: String?
    /// The stale entry may answer when the origin fails.
    var mayIfError = false

    var testDescription: String { name }

    init(_ name: String, _ text: String, body: String, change: (inout Self) -> Void = { _ in }) {
        self.init(name, Array(text.utf8), body: body, change: change)
    }

    init(_ name: String, _ bytes: [UInt8], body: String, change: (inout Self) -> Void = { _ in }) {
        self.name = name
        self.bytes = bytes
        self.body = body
        let end = Array("\r\n\r\n".utf8)
        var headCount = bytes.firstRange(of: end, from: 0) ?? 0
        if bytes.text.hasPrefix("HTTP/1.1 1") {
            headCount = bytes.firstRange(of: end, from: headCount) ?? 0
        }
        self.headCount = headCount
        change(&self)
    }

    /// Whether bytes after this cut pass for bytes of the response itself, so that no reader could tell that
    /// they are wrong.
    func isBelieved(_ cut: Int) -> Bool {
        cut >= headCount && (isDelimitedByClose || cut < bytes.count && !bytes.text.contains("chunked"))
    }

    func request(_ target: String) -> String {
        let lines = fields.map { "\($0)\r\n" }.joined()
        return "\(method) \(target) HTTP/1.\(minorVersion)\r\nHost: example.com\r\n\(lines)\r\n"
    }

    static let all: [Answer] = [
        Answer("a length", cacheable("the body", "ETag: \"v\""), body: "the body"),
        Answer("chunks", Self.chunked, body: "the body"),
        Answer("chunks for HTTP/1.0", Self.chunked, body: "the body") { $0.minorVersion = 0 },
        // (A line break is one Character.)
        Answer("trailers", String(Self.chunked.dropLast()) + "X-Sum: 1\r\n\r\n", body: "the body") {
            $0.isStored = false
        },
        Answer("until the close", Self.delimited, body: "the body") {
            $0.isStored = false
            $0.isDelimitedByClose = true
        },
        Answer("until the close, for HTTP/1.0", Self.delimited, body: "the body") {
            $0.isStored = false
            $0.isDelimitedByClose = true
            $0.minorVersion = 0
        },
        Answer("an interim answer", "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + cacheable("body"), body: "body"),
        Answer("gzip", Self.gzip, body: "the body") { $0.fields = ["Accept-Encoding: gzip"] },
        Answer("gzip, undone", Self.gzip, body: "the body") {
            $0.fields = ["Accept-Encoding: identity"]
            $0.isHeldBack = true
        },
        Answer("a head", String(cacheable("the body").dropLast(8)), body: "") {
            $0.method = "HEAD"
            $0.isStored = false
        },
    ] + [false, true].flatMap { mayIfError in
        let field = "ETag: \"v\""
        let error = mayIfError ? "Cache-Control: stale-if-error=1000" : "X: y"
        let suffix = mayIfError ? ", stale if error" : ""
        return [
            Answer(
                "a 304" + suffix, "HTTP/1.1 304 Same\r\nETag: \"v\"\r\nCache-Control: max-age=60\r\n\r\n",
                body: "old"
            ) {
                $0.entry = cacheable("old", field, error)
                $0.mayIfError = mayIfError
            },
            Answer("a new answer" + suffix, cacheable("the new", "ETag: \"w\""), body: "the new") {
                $0.entry = cacheable("old", field, error)
                $0.mayIfError = mayIfError
            },
        ]
    }

    private static let chunked =
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "4\r\nthe \r\n4;x=y\r\nbody\r\n0\r\n\r\n"

    private static let delimited = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nthe body"

    private static let gzip: [UInt8] = {
        let bytes = deflated("the body")
        let head =
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Encoding: gzip\r\n"
            + "Content-Length: \(bytes.count)\r\n\r\n"
        return Array(head.utf8) + bytes
    }()
}

/// What a client got.
private enum Got {
    case answer(Message)
    /// Broken off by a reset: no client takes it for complete.
    case reset

    init(_ client: Peer, toHead: Bool) throws {
        do {
            var message = try client.receiveAnswer(toHead: toHead)
            while message.status < 200 { message = try client.receiveAnswer(toHead: toHead) }
            self = .answer(message)
        } catch is Reset {
            self = .reset
        }
    }

    /// An answer that looks complete, with its body decoded.
    var whole: (status: Int, body: String)? {
        guard case .answer(let message) = self, message.isWhole else { return nil }
        guard message["content-encoding"] == "gzip" else { return (message.status, message.text) }
        return (message.status, inflated(message.body) ?? "not gzip")
    }
}

/// Counts from 1, for each name apart.
private final class Tally: Sendable {
    private let counts = Locked<[String: Int]>([:])

    func next(_ name: String) -> Int {
        counts.withLock { counts in
            counts[name, default: 0] += 1
            return counts[name, default: 0]
        }
    }

    func count(_ name: String) -> Int { counts.withLock { $0[name, default: 0] } }
}

/// Answers each target's first request as its path says, `/cut`, and every later one completely. Until it is
/// armed, its responses are ones that become stale later.
private struct Faulty {
    let arrivals = Gate()
    let release = Gate()
    let armed = Tally()
    let origin: ScriptedOrigin

    /// - Parameter holds: the first request of a target waits for `release`.
    init(_ answer: Answer, _ fault: Fault, holds: Bool) throws {
        let (arrivals, release, armed) = (arrivals, release, armed)
        let seen = Tally()
        origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                if let entry = answer.entry, armed.count("armed") == 0 {
                    try peer.send(entry)
                    continue
                }
                guard seen.next(request.target) == 1, let cut = Int(request.target.dropFirst()) else {
                    try peer.send(Self.whole(answer, request))
                    if answer.isDelimitedByClose { return }
                    continue
                }
                arrivals.open()
                if holds { try peer.wait(for: release) }
                try peer.send(Array(answer.bytes[..<cut]))
                switch fault {
                case .closes: return
                case .resets: return peer.reset()
                case .stalls: _ = try peer.receiveAll()
                case .babbles: return try peer.send(Fault.babble)
                }
            }
        }
    }

    /// The complete response.
    private static func whole(_ answer: Answer, _ request: Message) -> [UInt8] {
        // A request without conditions that is not HEAD gets the body.
        if answer.name.hasPrefix("a 304"), request["if-none-match"] == nil {
            return Array((answer.entry ?? "").utf8)
        }
        return answer.bytes + (answer.method == "HEAD" && request.method == "GET" ? Array("the body".utf8) : [])
    }
}

@Suite(.serialized) struct FaultTests {
    @Test(arguments: Answer.all, Fault.allCases)
    fileprivate func aFailureAfterAnyByteHarmsNoClient(_ answer: Answer, _ fault: Fault) throws {
        let stalls = fault == .stalls
        let faulty = try Faulty(answer, fault, holds: !stalls)
        let clock = steered()
        try withStage(
            // One thread where the test has to know that the clock's advance is seen.
            faulty.origin, threads: answer.entry == nil ? 2 : 1, clock: clock,
            settings: {
                $0.limits.connections = 2_000
                $0.upstreams[0].retries = 0
                // No idle connections, so that no failed reuse is forgiven.
                $0.upstreams[0].connections.reuse = .never
                if stalls {
                    $0.upstreams[0].timeouts.responseMilliseconds = 100
                    $0.upstreams[0].timeouts.idleMilliseconds = 100
                }
            }
        ) { stage in
            let cuts = (0...answer.bytes.count).filter { fault != .babbles || !answer.isBelieved($0) }
            if answer.entry != nil {
                let client = try stage.client()
                for cut in cuts {
                    _ = try stage.eventually("\(cut) is stored") {
                        try ask(client, cut).text == "old" ? true : nil
                    }
                }
                _ = faulty.armed.next("armed")
                clock.advance(milliseconds: 100_000)
                try stage.turn()
            }
            let first = try cuts.map { try ask(stage, answer, $0) }
            try faulty.arrivals.wait(count: cuts.count)
            let others = try (cuts + cuts).map { try ask(stage, answer, $0) }
            try stage.turn()
            faulty.release.open()
            for (cut, client) in zip(cuts, first) {
                let got = try Got(client, toHead: answer.method == "HEAD")
                #expect(isRight(got, answer, fault, cut: cut), "cut at \(cut): \(got)")
            }
            for (cut, client) in zip(cuts + cuts, others) {
                let got = try Got(client, toHead: answer.method == "HEAD")
                let whole = got.whole
                let isLate = stalls && isRight(got, answer, fault, cut: cut)
                #expect(
                    whole?.status == 200 && whole?.body == answer.body || isLate,
                    "waits, cut at \(cut): \(got)")
            }
            let fetches = faulty.origin.requests.map(\.target)
            let client = try stage.client()
            for cut in cuts {
                try checkStore(stage, client, answer, cut: cut, isLate: stalls)
                if !stalls, answer.isStored {
                    let primed = answer.entry == nil ? 0 : 1
                    let count = fetches.count { $0 == "/\(cut)" } - primed
                    // One of the two waiting clients took over, and the other got what that fetch stored,
                    // unless the store was busy and refused it.
                    let most = stage.store.statistics.refusedForPressure > 0 ? 3 : 2
                    #expect(
                        count <= most && (fault == .resets || (count == 1) == (cut == answer.bytes.count)),
                        "\(count) fetches, cut at \(cut) of \(answer.bytes.count), \(stage.store.statistics)")
                }
            }
        }
    }

    private func ask(_ stage: Stage, _ answer: Answer, _ cut: Int) throws -> Peer {
        let client = try stage.client()
        try client.send(answer.request("/\(cut)"))
        return client
    }

    private func ask(_ client: Peer, _ cut: Int, _ fields: [String] = []) throws -> Message {
        try client.send(DataPlaneHarness.request("GET", "/\(cut)", fields + ["Accept-Encoding: identity"]))
        return try client.receiveAnswer()
    }

    /// Afterwards the store holds the correct response or none, and so every client gets the correct one.
    /// - Parameter isLate: answers may still be late.
    private func checkStore(
        _ stage: Stage, _ client: Peer, _ answer: Answer, cut: Int, isLate: Bool
    ) throws {
        let body = answer.method == "HEAD" ? "the body" : answer.body
        var stored = try ask(client, cut, ["Cache-Control: only-if-cached"])
        if answer.isStored {
            // A busy store may refuse everything fetched so far.
            if stored.status == 504, isLate || stage.store.statistics.refusedForPressure > 0 {
                stored = try stage.eventually("\(cut) is stored") {
                    _ = try whole(stage, client, answer, cut: cut)
                    let again = try ask(client, cut, ["Cache-Control: only-if-cached"])
                    return again.status == 504 ? nil : again
                }
            }
            #expect(
                stored.status == 200 && stored.text == body,
                "stored, cut at \(cut), \(stage.store.statistics)")
        } else {
            #expect(stored.status == 504, "stored, cut at \(cut)")
            let later = isLate ? try whole(stage, client, answer, cut: cut) : try ask(client, cut)
            #expect(later.status == 200 && later.isWhole && later.text == body, "later, cut at \(cut)")
        }
    }

    /// Repeats the request until the answer comes in time.
    private func whole(_ stage: Stage, _ client: Peer, _ answer: Answer, cut: Int) throws -> Message {
        try stage.eventually("\(cut) is answered") {
            let later = try ask(client, cut)
            // 100 s have passed since the first response was stored.
            let isStale = (later["age"].flatMap { Int($0) } ?? 0) >= 100
            return later.status == 504 || isStale ? nil : later
        }
    }

    /// Whether the client whose fetch broke off may get this.
    private func isRight(_ got: Got, _ answer: Answer, _ fault: Fault, cut: Int) -> Bool {
        let isComplete = cut == answer.bytes.count
        let inHead = cut < answer.headCount
        guard let whole = got.whole else {
            // Broken off, and the client can see it. That needs a head to begin with.
            guard !isComplete || fault == .resets || answer.isDelimitedByClose else { return false }
            guard case .answer(let message) = got else { return !inHead }
            return message.status == 200 && !inHead
                && (fault == .babbles || answer.fields.isEmpty && answer.body.hasPrefix(message.text)
                    || !answer.fields.isEmpty)
        }
        switch (whole.status, fault) {
        // A reset may overtake bytes that were sent before it.
        case (502, .closes), (502, .babbles):
            return (inHead || answer.isHeldBack && !isComplete) && !answer.mayIfError
        case (502, .stalls): return answer.isHeldBack
        case (502, .resets): return !answer.mayIfError
        // This machine may be so slow that any answer is late. Even a late answer is correct.
        case (504, .stalls): return !answer.mayIfError
        case (200, .stalls) where whole.body == answer.body: return true
        case (200, _):
            if answer.mayIfError, whole.body == "old", inHead || fault == .resets || fault == .stalls {
                return true
            }
            if answer.isDelimitedByClose, fault == .closes, !inHead {
                return answer.body.hasPrefix(whole.body) && whole.body.utf8.count == cut - answer.headCount
            }
            // Bytes after a complete response do not matter. Where only the close ends a response, they do.
            return isComplete && !answer.isDelimitedByClose && whole.body == answer.body
        default: return false
        }
    }
}
