// Coalescing: one fetch a key over all threads. Waiting clients get the stored response or fetch for
// themselves; no client hangs.

import DataPlane
import DataPlaneHarness
import Settings
import Synchronization
import Testing

/// An origin that holds its first response until `release` opens. `script` gives the response to the n-th
/// request.
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

    @Test func cacheStatusNamesACoalescedRequest() throws {
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

    /// The fetch goes on when its first client leaves, whether other clients wait or not.
    @Test(arguments: [false, true]) func aFetchOutlivesItsFirstClient(othersWait: Bool) throws {
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

    /// All requests are at the origin at the same time. Served one after the other, none of them would be
    /// answered.
    @Test(arguments: [1, 2]) func requestsForAnUnstorableResponseRunAtTheSameTime(threads: Int) throws {
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

    /// After a response that could not be stored, requests for the key do not wait for each other.
    @Test func anUnstorableKeyIsRemembered() throws {
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

    /// A freshness lifetime that is too short makes the key hit-for-miss. A response that only arrived too
    /// old does not.
    @Test(arguments: [
        ("Cache-Control: max-age=1\r\nDate: Tue, 14 Nov 2023 22:13:17 GMT", 1),
        ("Cache-Control: max-age=60\r\nAge: 60", 1),
        ("Expires: Tue, 14 Nov 2023 22:13:18 GMT\r\nDate: Tue, 14 Nov 2023 22:13:17 GMT", 1),
        ("Cache-Control: max-age=0", 2), ("Expires: 0", 2),
        ("Expires: Tue, 14 Nov 2023 22:13:17 GMT\r\nDate: Tue, 14 Nov 2023 22:13:17 GMT", 2),
    ])
    func aResponseThatArrivesTooOldKeepsCoalescing(fields: String, fetches: Int) throws {
        let scripted = try Scripted([answer("old", fields), cacheable("new")], holding: 2)
        try withStage(scripted.origin, clock: steered()) { stage in
            let first = try stage.ask("GET", "/")
            #expect(first.cacheStatus == "fwd=miss; detail=expired")
            let count = try scripted.fetchesOfTwo(stage)
            #expect(count == fetches)
        }
    }

    /// The first client gets an error. The next waiting client takes the reservation, and the others get its
    /// response.
    @Test func afterAFailureTheNextClientTakesOver() throws {
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

    /// A waiting client that has left passes the reservation on.
    @Test func aClientThatHasLeftPassesTheReservationOn() throws {
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

    /// A waiting client that cannot use the stored response fetches its own, and does not wait a second time.
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

    @Test func aWaitingClientFetchesAfterTheLongestWait() throws {
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

    /// A client that waits for a fetch gets a response from after the invalidation if the fetch was overtaken
    /// by it.
    @Test func aWaitingClientSeesAChangeDuringTheFetch() throws {
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

/// Counts from 1. Threads may share it.
private final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}
