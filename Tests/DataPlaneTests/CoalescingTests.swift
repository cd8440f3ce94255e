// One fetch a key, whatever the thread: who waits gets what was stored, or goes on alone, and nobody hangs.

import DataPlane
import DataPlaneHarness
import Settings
import Synchronization
import Testing

/// An origin that holds the first answer until `release` is opened; `script` says what the n-th request gets.
private struct Held {
    let arrivals = Gate()
    let release = Gate()
    let origin: ScriptedOrigin

    /// - Parameter script: nil closes the connection without an answer.
    init(_ script: @escaping @Sendable (_ request: Message, _ number: Int) -> String?) throws {
        let (arrivals, release) = (arrivals, release)
        let count = Counter()
        origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                let number = count.next()
                arrivals.open()
                if number == 1 { try peer.wait(for: release) }
                guard let text = script(request, number) else { return }
                try peer.send(text)
            }
        }
    }

    func ask(_ stage: Stage, _ target: String = "/", _ fields: [String] = []) throws -> Peer {
        let client = try stage.client()
        try client.send(request("GET", target, fields))
        return client
    }
}

struct CoalescingTests {
    @Test(arguments: [1, 2]) func aThousandClientsAreOneFetch(threads: Int) throws {
        let held = try Held { _, number in cacheable("body \(number)") }
        try withStage(held.origin, threads: threads, settings: { $0.limits.connections = 4_000 }) { stage in
            let clients = try (0..<1_000).map { _ in try held.ask(stage) }
            try held.arrivals.wait()
            try stage.turn()
            held.release.open()
            for client in clients {
                let answer = try client.receiveAnswer()
                #expect(answer.status == 200 && answer.text == "body 1")
            }
            #expect(held.origin.requests.count == 1)
        }
    }

    @Test func whoWaitedSaysSo() throws {
        let held = try Held { _, number in cacheable("body \(number)") }
        try withStage(held.origin) { stage in
            let first = try held.ask(stage)
            try held.arrivals.wait()
            let second = try held.ask(stage)
            try stage.turn()
            held.release.open()
            #expect(try first.receiveAnswer()["cache-status"] == "larder; fwd=miss; stored")
            let status = try second.receiveAnswer()["cache-status"] ?? ""
            #expect(status.hasPrefix("larder; fwd=miss; collapsed; ttl="))
        }
    }

    /// The fetch outlives its first client, whether somebody waits or not.
    @Test(arguments: [false, true]) func theFirstClientLeaves(othersWait: Bool) throws {
        let held = try Held { _, number in cacheable("body \(number)") }
        try withStage(held.origin) { stage in
            let first = try held.ask(stage)
            try held.arrivals.wait()
            let others = try (0..<(othersWait ? 20 : 0)).map { _ in try held.ask(stage) }
            try stage.turn()
            first.reset()
            try stage.turn()
            held.release.open()
            for other in others { #expect(try other.receiveAnswer().text == "body 1") }
            #expect(try stage.stored("/").text == "body 1")
            #expect(held.origin.requests.count == 1)
        }
    }

    /// All of them are at the origin at once: were they served one after the other, none would be answered.
    @Test(arguments: [1, 2]) func whatCannotBeStoredIsFetchedByAllAtOnce(threads: Int) throws {
        let all = Gate()
        let together = Gate()
        let count = Counter()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                if count.next() > 1 {
                    all.open()
                    try peer.wait(for: together)
                } else {
                    all.open()
                }
                try peer.send(answer(request.target, "Cache-Control: no-store"))
            }
        }
        try withStage(origin, threads: threads) { stage in
            let clients = try stage.crowd(21)
            try all.wait(count: 21)
            together.open()
            for client in clients { #expect(try client.receiveAnswer().status == 200) }
            #expect(origin.requests.count == 21)
        }
    }

    /// Once its answer could not be stored, nobody waits for the next fetch of a key.
    @Test func itIsRemembered() throws {
        let held = try Held { _, _ in answer("x", "Cache-Control: no-store") }
        held.release.open()
        let gate = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while try origin.receive(peer, connection) != nil {
                held.arrivals.open()
                if origin.requests.count > 1 { try peer.wait(for: gate) }
                try peer.send(answer("x", "Cache-Control: no-store"))
            }
        }
        try withStage(origin) { stage in
            #expect(try stage.ask("GET", "/").status == 200)
            held.arrivals.close()
            let clients = try (0..<2).map { _ in try held.ask(stage) }
            try held.arrivals.wait(count: 2)
            gate.open()
            for client in clients { #expect(try client.receiveAnswer().status == 200) }
        }
        held.origin.stop()
    }

    /// A lifetime that is too short is so for the next answer too; an answer that has merely grown too old on its way
    /// says nothing of that.
    @Test(arguments: [
        ("Cache-Control: max-age=1\r\nDate: Tue, 14 Nov 2023 22:13:17 GMT", 1),
        ("Cache-Control: max-age=60\r\nAge: 60", 1),
        ("Expires: Tue, 14 Nov 2023 22:13:18 GMT\r\nDate: Tue, 14 Nov 2023 22:13:17 GMT", 1),
        ("Cache-Control: max-age=0", 2), ("Expires: 0", 2),
        ("Expires: Tue, 14 Nov 2023 22:13:17 GMT\r\nDate: Tue, 14 Nov 2023 22:13:17 GMT", 2),
    ])
    func whatHasGrownTooOldIsWorthWaitingFor(fields: String, fetches: Int) throws {
        let scripted = try Scripted([answer("old", fields), cacheable("new")], holding: 2)
        try withStage(scripted.origin, clock: steered()) { stage in
            let first = try stage.ask("GET", "/")
            #expect(first.cacheStatus == "fwd=miss; detail=expired")
            let count = try scripted.fetchesOfTwo(stage)
            #expect(count == fetches)
        }
    }

    /// The first gets an error; the next of those who wait has the reservation, and the others its answer.
    @Test func afterAFailureTheNextTakesOver() throws {
        let held = try Held { _, number in number == 1 ? nil : cacheable("body \(number)") }
        try withStage(held.origin) { stage in
            let first = try held.ask(stage)
            try held.arrivals.wait()
            let others = try (0..<5).map { _ in try held.ask(stage) }
            try stage.turn()
            held.release.open()
            #expect(try first.receiveAnswer().status == 502)
            for other in others { #expect(try other.receiveAnswer().text == "body 2") }
            #expect(held.origin.requests.count == 2)
        }
    }

    /// A waiter that has left when its turn comes passes it on.
    @Test func whoHasLeftTakesNothingOver() throws {
        let held = try Held { _, number in number == 1 ? nil : cacheable("body \(number)") }
        try withStage(held.origin) { stage in
            let first = try held.ask(stage)
            try held.arrivals.wait()
            let second = try held.ask(stage)
            try stage.turn()
            let third = try held.ask(stage)
            try stage.turn()
            second.reset()
            try stage.turn()
            held.release.open()
            #expect(try first.receiveAnswer().status == 502)
            #expect(try third.receiveAnswer().text == "body 2")
        }
    }

    /// What waits for an answer that it cannot use asks for its own, and does not wait once more.
    @Test func anotherVariantIsFetchedOnce() throws {
        let held = try Held { request, number in
            cacheable("\(request["accept-language"] ?? "") \(number)", "Vary: Accept-Language")
        }
        try withStage(held.origin, settings: { $0.policies[0].store.vary = .any }) { stage in
            let first = try held.ask(stage, "/", ["Accept-Language: en"])
            try held.arrivals.wait()
            let second = try held.ask(stage, "/", ["Accept-Language: fr"])
            try stage.turn()
            held.release.open()
            #expect(try first.receiveAnswer().text == "en 1")
            #expect(try second.receiveAnswer().text == "fr 2")
            #expect(try stage.ask("GET", "/", "Accept-Language: en").text == "en 1")
            #expect(try stage.ask("GET", "/", "Accept-Language: fr").text == "fr 2")
        }
    }

    @Test func patienceEnds() throws {
        let held = try Held { _, number in cacheable("body \(number)") }
        try withStage(held.origin, settings: { $0.upstreams[0].timeouts.responseMilliseconds = 200 }) {
            stage in
            let first = try held.ask(stage)
            try held.arrivals.wait()
            let others = try (0..<3).map { _ in try held.ask(stage) }
            #expect(try first.receiveAnswer().status == 504)
            for other in others {
                let answer = try other.receiveAnswer()
                #expect(answer.status == 200 && answer.text != "body 1")
            }
            held.release.open()
        }
    }

    /// Whoever waits for a fetch that was overtaken by a change gets what came after the change.
    @Test func aChangeMeanwhileIsNotMissed() throws {
        let held = try Held { request, number in
            request.method == "POST" ? answer("changed") : cacheable("body \(number)")
        }
        try withStage(held.origin) { stage in
            let first = try held.ask(stage)
            try held.arrivals.wait()
            let second = try held.ask(stage)
            try stage.turn()
            #expect(try stage.ask("POST", "/", body: "x").text == "changed")
            held.release.open()
            #expect(try first.receiveAnswer().text == "body 1")
            #expect(try second.receiveAnswer().text == "body 3")
            #expect(try stage.stored("/").text == "body 3")
        }
    }

    @Test(arguments: [1, 2]) func aStaleEntryIsRevalidatedOnce(threads: Int) throws {
        let gate = Gate()
        let arrivals = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                if request["if-none-match"] == nil {
                    try peer.send(cacheable("body", "ETag: \"a\""))
                } else {
                    arrivals.open()
                    try peer.wait(for: gate)
                    try peer.send("HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n\r\n")
                }
            }
        }
        let clock = steered()
        try withStage(origin, threads: threads, clock: clock) { stage in
            #expect(try stage.ask("GET", "/").text == "body")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            let clients = try stage.crowd(50)
            try arrivals.wait()
            try stage.turn()
            gate.open()
            for client in clients {
                let answer = try client.receiveAnswer()
                #expect(answer.status == 200 && answer.text == "body" && answer["age"] == "0")
            }
            #expect(origin.requests.count == 2)
        }
    }
}

/// Numbers from 1 on, for threads together.
private final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}
