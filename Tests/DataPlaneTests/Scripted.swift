// Shared by tests of revalidation and coalescing: an origin that answers by number, and a clock that only
// tests move.

import DataPlane
import DataPlaneHarness
import Testing

/// A 304 that renews an entry with this tag for a minute.
let notModified = "HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n\r\n"

/// A clock that only a test moves.
func steered() -> SteeredClock {
    SteeredClock(wallMilliseconds: 1_700_000_000_000, bootMilliseconds: 1_000_000)
}

/// An origin whose n-th response, from 1, is `answers[n - 1]`; the last one repeats. It holds the `held`-th
/// response until `release` opens, and opens `sent` after each.
struct Scripted {
    let arrivals = Gate()
    let release = Gate()
    let sent = Gate()
    let origin: ScriptedOrigin

    init(_ answers: [String], holding held: Int = 0) throws {
        let (arrivals, release, sent) = (arrivals, release, sent)
        origin = try ScriptedOrigin { peer, connection, origin in
            while try origin.receive(peer, connection) != nil {
                let number = origin.requests.count
                arrivals.open()
                if number == held { try peer.wait(for: release) }
                try peer.send(answers[min(number, answers.count) - 1])
                sent.open()
            }
        }
    }

    /// Two clients send the same request while the origin holds the response. Returns the number of fetches.
    func fetchesOfTwo(_ stage: Stage, _ fields: [String] = []) throws -> Int {
        let before = origin.requests.count
        arrivals.close()
        let first = try send(stage, fields)
        try arrivals.wait()
        let second = try send(stage, fields)
        try stage.turn()
        release.open()
        let answers = [try first.receiveAnswer(), try second.receiveAnswer()]
        for answer in answers { #expect(answer.status == 200 && answer.text == answers[0].text) }
        return origin.requests.count - before
    }

    func send(_ stage: Stage, _ fields: [String] = []) throws -> Peer {
        let client = try stage.client()
        try client.send(request("GET", "/", fields))
        return client
    }
}

extension Stage {
    /// This many clients, each of which has sent the same request.
    func crowd(_ count: Int) throws -> [Peer] {
        try (0..<count).map { _ in
            let client = try client()
            try client.send(request("GET", "/"))
            return client
        }
    }
}
