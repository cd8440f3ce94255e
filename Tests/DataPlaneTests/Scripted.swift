// What tests of revalidation and of waiting share: an origin that answers by number, and a clock that stands.

import DataPlane
import DataPlaneHarness
import Testing

/// A 304 that renews an entry with this tag for a minute.
let notModified = "HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n\r\n"

/// A clock that only a test moves.
func steered() -> SteeredClock {
    SteeredClock(wallMilliseconds: 1_700_000_000_000, bootMilliseconds: 1_000_000)
}

/// An origin whose n-th answer, from 1 on, is `answers[n - 1]`, and the last one for good; it holds the
/// `held`-th until `release` is opened, and opens `sent` behind each.
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

    /// Two clients ask for the same while the origin holds the answer: how many fetches there were.
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
    /// This many clients that have asked for the same at once.
    func crowd(_ count: Int) throws -> [Peer] {
        try (0..<count).map { _ in
            let client = try client()
            try client.send(request("GET", "/"))
            return client
        }
    }
}
