// Back pressure: a peer that does not read stops the sender on the other side, so that Larder holds a bounded
// part of any body. Also: what happens to a fetch whose client leaves.

import Kernel
import DataPlaneHarness
import Settings
import Testing

struct BackPressureTests {
    /// The most bytes that may be on their way. TCP's own buffers grow to several MiB on both sides of
    /// Larder. Buffers of unix sockets stay at about 200 KiB each, which shows that Larder's part is a few
    /// hundred KiB.
    static let ceilings = ["tcp": 24 << 20, "unix": 1 << 20]
    static let block = [UInt8](repeating: 120, count: 65_536)

    /// The client does not read a body of 64 MiB at first, and then reads all of it.
    @Test(arguments: ["length", "chunked"], ["tcp", "unix"])
    func aClientThatDoesNotReadStopsTheOrigin(framing: String, sockets: String) throws {
        let paths = SocketPaths(2)
        let total = 64 << 20
        let stuck = Gate()
        let sent = Locked(0)
        let settled = Gate()
        let origin = try ScriptedOrigin(at: sockets == "tcp" ? .ownLoopback() : paths.address(0)) {
            peer, number, origin in
            guard try origin.receive(peer, number) != nil else { return }
            let head = framing == "length" ? "Content-Length: \(total)" : "Transfer-Encoding: chunked"
            try peer.send("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n" + (framing == "length" ? "" : "4000000\r\n"))
            let atOnce = try peer.flood(Self.block, limit: total) {
                settled.close()
                stuck.open()
                try peer.wait(for: settled)
            }
            sent.withLock { $0 = atOnce }
            stuck.open()
            try peer.send([UInt8](repeating: 120, count: total - atOnce))
            if framing == "chunked" { try peer.send("\r\n0\r\n\r\n") }
            _ = try peer.receiveAll()
        }
        let bind = paths.paths[1]
        try withStage(origin, settings: { if sockets == "unix" { $0.listeners[0].bind = .unix(path: bind) } })
        { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            while sent.withLock({ $0 }) == 0 {
                try stuck.wait()
                stuck.close()
                try stage.turn()
                settled.open()
            }
            #expect(sent.withLock { $0 } < Self.ceilings[sockets] ?? 0)
            let answer = try client.receiveAnswer()
            #expect(answer.isWhole && answer.body.count == total)
        }
    }

    @Test(arguments: ["tcp", "unix"])
    func anOriginThatDoesNotReadStopsTheClient(sockets: String) throws {
        let paths = SocketPaths(2)
        let total = 64 << 20
        let read = Gate()
        let origin = try ScriptedOrigin(at: sockets == "tcp" ? .ownLoopback() : paths.address(0)) {
            peer, number, origin in
            guard try peer.receiveHead() != nil else { return }
            try peer.wait(for: read)
            var count = 0
            while count < total, try peer.receiveSome() { count += peer.take(peer.inbox.count).count }
            try peer.send(answer("\(count)"))
        }
        let bind = paths.paths[1]
        try withStage(origin, settings: { if sockets == "unix" { $0.listeners[0].bind = .unix(path: bind) } })
        { stage in
            let client = try stage.client()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(total)\r\n\r\n")
            let atOnce = try client.flood(Self.block, limit: total) { try stage.turn() }
            #expect(atOnce < Self.ceilings[sockets] ?? 0)
            // Other clients are served meanwhile.
            #expect(try stage.ask("OPTIONS", "*").status == 204)
            read.open()
            try client.send([UInt8](repeating: 120, count: total - atOnce))
            #expect(try client.receiveAnswer().text == "\(total)")
        }
    }

    /// A client that reads in small steps gets every byte, whichever buffer the bytes wait in.
    @Test func aSlowReaderGetsEveryByte() throws {
        let count = 8 << 20
        let origin = try ScriptedOrigin { peer, number, origin in
            guard try origin.receive(peer, number) != nil else { return }
            var body: [UInt8] = []
            body.reserveCapacity(count)
            for index in 0..<(count / 8) { body += Array(String(10_000_000 + index).utf8) }
            try peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n")
            try peer.send(body)
            _ = try peer.receiveAll()
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            _ = try client.receiveHead()
            var next = 0
            while next < count / 8 {
                // Let the loop turn now and then.
                if next % 512 == 0 { try stage.turn() }
                let piece = try client.receive(8 * 32)
                for index in 0..<32 {
                    let text = Array(piece[(index * 8)..<(index * 8 + 8)]).text
                    guard text == String(10_000_000 + next) else {
                        throw Unexpected(description: "at \(next): \(text)")
                    }
                    next += 1
                }
            }
        }
    }

    /// The client leaves when it has the head. The origin sends the rest after that.
    @Test(arguments: ["close", "reset"])
    func aStorableFetchGoesOnWithoutItsClient(how: String) throws {
        let left = Gate()
        let seen = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                guard request.target == "/left" else {
                    try peer.send(answer("other"))
                    continue
                }
                let whole = cacheable(String(repeating: "x", count: 50_000))
                try peer.send(String(whole.prefix(30_000)))
                try peer.wait(for: left)
                try peer.send(String(whole.dropFirst(30_000).prefix(10_000)))
                try peer.wait(for: seen)
                try peer.send(String(whole.dropFirst(40_000)))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/left"))
            _ = try client.receiveHead()
            if how == "close" { client.close() } else { client.reset() }
            try stage.turn()
            left.open()
            try stage.turn()
            seen.open()
            let answer = try stage.stored("/left")
            #expect(answer.body.count == 50_000)
            #expect(origin.requests.count == 1)
        }
    }

    /// The last bytes of the fetch arrive in the same turn as the client's close.
    @Test func aStorableFetchThatEndsAsItsClientLeavesIsStored() throws {
        let left = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            guard try origin.receive(peer, number) != nil else { return }
            let whole = cacheable(String(repeating: "x", count: 50_000))
            try peer.send(String(whole.prefix(30_000)))
            try peer.wait(for: left)
            try peer.send(String(whole.dropFirst(30_000)))
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            _ = try client.receiveHead()
            client.reset()
            left.open()
            let answer = try stage.stored("/")
            #expect(answer.body.count == 50_000)
        }
    }

    /// A large storable response stands still while its client does not read. When the client leaves, the
    /// rest goes into the store.
    @Test func aStorableFetchThatWaitedForItsClientGoesOnWithoutIt() throws {
        let size = 10 << 20
        let origin = try ScriptedOrigin { peer, number, origin in
            guard try origin.receive(peer, number) != nil else { return }
            try peer.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: \(size)\r\n\r\n")
            try peer.send([UInt8](repeating: 120, count: size))
            _ = try peer.receiveAll()
        }
        try withStage(
            origin, memory: 256 << 20, segment: 26 << 20,
            settings: { $0.policies[0].store.maxBodyBytes = 11 << 20 }
        ) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            _ = try client.receiveHead()
            for _ in 0..<20 { try stage.turn() }
            client.reset()
            #expect(try stage.stored("/").body.count == size)
        }
    }

    @Test(arguments: ["close", "reset"])
    func anUnstorableFetchEndsWithItsClient(how: String) throws {
        let ended = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            guard try origin.receive(peer, number) != nil else { return }
            try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            do {
                while true { try peer.send(Self.block) }
            } catch is Reset {
                ended.open()
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/"))
            _ = try client.receiveHead()
            if how == "close" { client.close() } else { client.reset() }
            try ended.wait()
        }
    }
}
