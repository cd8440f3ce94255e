// Which server a request goes to: by key, by load or in turn; and what the log says of the choice.

import Glibc
import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import Synchronization
import Testing

/// Origins whose responses name them. They hold responses to `/held…` until the test releases them.
private struct Crowd {
    let origins: [ScriptedOrigin]
    /// Opened by each held request that arrives.
    let arrivals = Gate()
    private let releases: [Gate]

    init(_ count: Int) throws {
        let (arrivals, releases) = (arrivals, (0..<count).map { _ in Gate() })
        self.releases = releases
        origins = try (0..<count).map { index in
            try ScriptedOrigin { peer, number, origin in
                while let request = try origin.receive(peer, number) {
                    if request.target.hasPrefix("/held") {
                        arrivals.open()
                        try peer.wait(for: releases[index])
                    }
                    // A response to HEAD has no body, so a field names the origin.
                    let text = answer("text", "X-From: \(index)")
                    try peer.send(request.method == "HEAD" ? String(text.dropLast(4)) : text)
                }
            }
        }
    }

    /// Sends a request that an origin holds. Returns once the origin has it.
    func hold(_ stage: Stage, _ target: String) throws -> Peer {
        let client = try stage.client()
        arrivals.close()
        // Not storable, so that no request waits for the fetch of another.
        try client.send(request("GET", target, ["Cache-Control: no-store"]))
        try arrivals.wait()
        return client
    }

    func release() { for gate in releases { gate.open() } }
}

private func from(_ answer: Message) -> Int { Int(answer["x-from"] ?? "") ?? -1 }

private func withCrowd(
    _ count: Int, threads: Int = 1, settings change: (inout Settings) -> Void = { _ in },
    _ body: (Stage, Crowd) throws -> Void
) throws {
    let crowd = try Crowd(count)
    try withStage(crowd.origins[0], threads: threads, servers: crowd.origins.map(\.address), settings: change)
    {
        stage in
        defer { for origin in crowd.origins.dropFirst() { origin.stop() } }
        try body(stage, crowd)
        for origin in crowd.origins { #expect(origin.complaints.isEmpty) }
    }
}

struct BalanceTests {
    /// Requests in flight are counted over all threads: every choice follows from the total count.
    @Test(arguments: [1, 2]) func aBusyServerSpillsToTheNext(threads: Int) throws {
        try withCrowd(2, threads: threads) { stage, crowd in
            var clients: [Peer] = []
            var counts = [0, 0]
            var spills = 0
            clients.append(try crowd.hold(stage, "/held"))
            let first = crowd.origins[0].requests.isEmpty ? 1 : 0
            counts[first] = 1
            for total in 1..<12 {
                clients.append(try crowd.hold(stage, "/held"))
                // Two servers, 150 %: a server takes requests below ceil((total + 1) · 3 / 4).
                let hasRoom = counts[first] * 4 < (total + 1) * 3
                counts[hasRoom ? first : 1 - first] += 1
                spills += hasRoom ? 0 : 1
                #expect(crowd.origins.map { $0.requests.count } == counts)
            }
            #expect(spills > 1)
            let figures = stage.server.figures
            #expect(figures.map(\.inFlight) == counts && figures.map(\.requests) == counts)
            #expect(figures[1 - first].spills == spills && figures[first].spills == 0)
            crowd.release()
            for client in clients {
                let answer = try client.receiveAnswer()
                #expect(answer.status == 200)
            }
            _ = try stage.eventually("nothing in flight") {
                stage.server.figures.allSatisfy { $0.inFlight == 0 } ? true : nil
            }
        }
    }

    @Test func withoutALoadBoundAKeyStaysAtItsServer() throws {
        try withCrowd(2, settings: { $0.upstreams[0].boundedLoadPercent = nil }) { stage, crowd in
            let clients = try (0..<8).map { _ in try crowd.hold(stage, "/held") }
            #expect(Set(crowd.origins.map { $0.requests.count }) == [0, 8])
            crowd.release()
            for client in clients { _ = try client.receiveAnswer() }
        }
    }

    @Test func roundRobinTakesTurns() throws {
        try withCrowd(
            3,
            settings: { settings in
                settings.upstreams[0].balance = .roundRobin
                settings.weigh([1, 1, 2])
            }
        ) { stage, _ in
            let turns = try (0..<40).map { _ in from(try stage.ask("GET", "/same")) }
            #expect((0..<3).map { index in turns.count { $0 == index } } == [10, 10, 20])
            #expect(Array(turns[..<4]) == Array(turns[4..<8]))
        }
    }

    @Test func leastRequestsAvoidsBusyServers() throws {
        try withCrowd(3, settings: { $0.upstreams[0].balance = .leastRequests }) { stage, crowd in
            let held = try crowd.hold(stage, "/held")
            let busy = crowd.origins.firstIndex { !$0.requests.isEmpty }
            let others = Set(try (0..<12).map { _ in from(try stage.ask("GET", "/same")) })
            #expect(others == Set(0..<3).subtracting([busy ?? -1]))
            crowd.release()
            _ = try held.receiveAnswer()
            _ = try stage.eventually("it is idle again") {
                stage.server.figures.allSatisfy { $0.inFlight == 0 } ? true : nil
            }
            #expect(Set(try (0..<12).map { _ in from(try stage.ask("GET", "/same")) }) == [0, 1, 2])
        }
    }

    /// One server refuses connections. Its keys go to their next choice and are logged as retries. The server
    /// is idle, but it draws no spills.
    @Test(arguments: [Upstream.Balance.urlHash, .roundRobin, .leastRequests])
    func aServerThatRefusesConnectionsHandsItsRequestsOver(balance: Upstream.Balance) throws {
        let crowd = try Crowd(2)
        let dead = try Stage.refusingAddress()
        try withStage(
            crowd.origins[0], crowd.origins[1], servers: crowd.origins.map(\.address) + [dead],
            settings: { $0.upstreams[0].balance = balance }
        ) { stage in
            for index in 0..<60 {
                let answer = try stage.ask("GET", "/\(index)")
                #expect(answer.status == 200)
            }
            let figures = stage.server.figures
            #expect(figures[0].retries + figures[1].retries == figures[2].failures)
            #expect(figures[2].failures == figures[2].requests && figures[2].requests > 0)
            #expect(figures[0].requests + figures[1].requests == 60)
            #expect(figures.allSatisfy { $0.failures == 0 || $0.server.hasSuffix(":\(dead.port)") })
            // With a hash: a third of the keys. Otherwise: one attempt a second, however slow this machine
            // is.
            if balance != .urlHash { #expect(figures[2].failures < 30) }
        }
    }

    /// The log tells spills and retries from first choices.
    @Test func theLogNamesTheReasonOfTheChoice() throws {
        let path = "/tmp/larder-test-\(UInt64.random(in: 0 ... .max)).log"
        defer { _ = unsafe unlink(path) }
        let crowd = try Crowd(2)
        let dead = try Stage.refusingAddress()
        try withStage(
            crowd.origins[0], crowd.origins[1], servers: crowd.origins.map(\.address) + [dead],
            settings: { settings in
                settings.log.access = .file(path)
                // The choice follows from the names: it is the same in every run.
                settings.upstreams[0].boundedLoadPercent = 110
                settings.name(["a", "b", "gone"])
            }
        ) { stage in
            let clients = try (0..<27).map { try crowd.hold(stage, "/held/\($0)") }
            crowd.release()
            for client in clients { _ = try client.receiveAnswer() }
            for index in 0..<60 { _ = try stage.ask("GET", "/\(index)") }
            stage.server.drain()
            stage.server.join()
            let figures = stage.server.figures
            let lines = try Self.lines(path)
            #expect(lines.count == 87 && figures.allSatisfy { $0.inFlight == 0 })
            for figure in figures {
                let own = lines.filter { $0.contains("\"server\":\"app/\(figure.server)\"") }
                #expect(own.count { $0.contains("\"choice\":\"spill\"") } <= figure.spills)
                #expect(own.count { $0.contains("\"choice\":\"retry\"") } == figure.retries)
            }
            let spilled = lines.count { $0.contains("\"choice\":\"spill\"") }
            #expect(spilled > 0 && lines.contains { $0.contains("\"choice\":\"retry\"") })
            #expect(lines.count { !$0.contains("\"choice\"") } > 20)
        }
    }

    static func lines(_ path: String) throws -> [Substring] {
        guard let file = unsafe fopen(path, "r") else { throw Unexpected(description: "no log") }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
        return bytes.text.split(separator: "\n")
    }
}

extension Settings {
    fileprivate mutating func name(_ names: [String]) {
        guard case .servers(var servers) = upstreams[0].origin else { return }
        for (index, name) in names.enumerated() { servers[index].name = name }
        upstreams[0].origin = .servers(servers)
    }

    fileprivate mutating func weigh(_ weights: [Int]) {
        guard case .servers(var servers) = upstreams[0].origin else { return }
        for (index, weight) in weights.enumerated() { servers[index].weight = weight }
        upstreams[0].origin = .servers(servers)
    }
}
