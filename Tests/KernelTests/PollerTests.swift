/// Edge-triggered events as the loops rely on them.

import Bytes
import Kernel
import SystemPackage
import Testing

@Suite struct PollerTests {
    @Test func aWaitEndsAtItsTimeout() throws {
        var poller = try Poller()
        let begin = Clock.monotonicMicroseconds()
        let none = poller.wait(timeoutMilliseconds: 20)
        #expect(none == 0)
        #expect(Clock.monotonicMicroseconds() - begin >= 20_000)
        let looked = poller.wait(timeoutMilliseconds: -5)
        #expect(looked == 0)
    }

    @Test func tokensComeBackUnchanged() throws {
        let pair = try Socket.pair()
        var poller = try Poller()
        try poller.add(pair.first.raw, token: 0xfedc_ba98_7654_3210)
        let count = poller.wait(timeoutMilliseconds: 1000)
        try #require(count == 1)
        let event = poller[0]
        #expect(event.token == 0xfedc_ba98_7654_3210)
        #expect(event.writable && !event.readable && !event.hangup && !event.readHangup && !event.error)
        #expect(throws: Errno.fileExists) { try poller.add(pair.first.raw, token: 1) }
    }

    @Test func anEdgeIsReportedOnceAndAShortReadMeansDrained() throws {
        let pair = try Socket.pair()
        var poller = try Poller()
        try poller.add(pair.second.raw, token: 1)
        let initial = poller.wait(timeoutMilliseconds: 0)
        #expect(initial == 1)
        var received = ByteBuffer(capacity: 64)
        for round in 1...3 {
            _ = pair.first.send(buffer("abc").span)
            let told = poller.wait(timeoutMilliseconds: 1000)
            try #require(told == 1)
            #expect(poller[0].readable)
            // Unread or read short: no second event without new bytes.
            let again = poller.wait(timeoutMilliseconds: 0)
            #expect(again == 0)
            let result = pair.second.receive(into: &received, atMost: 64)
            #expect(result == .bytes(3))
            #expect(received.count == 3 * round)
            let drained = poller.wait(timeoutMilliseconds: 0)
            #expect(drained == 0)
        }
    }

    @Test func writabilityIsReportedAsAnEdge() throws {
        let pair = try Socket.pair()
        var poller = try Poller()
        try poller.add(pair.first.raw, token: 1)
        _ = poller.wait(timeoutMilliseconds: 0)
        var block = ByteBuffer(capacity: 65536)
        for _ in 0..<65536 { block.append(0) }
        var sent = 0
        while case .bytes(let n) = pair.first.send(block.span) { sent += n }
        let full = poller.wait(timeoutMilliseconds: 0)
        #expect(full == 0)
        #expect(try receive(sent, from: pair.second).count == sent)
        let count = poller.wait(timeoutMilliseconds: 1000)
        try #require(count == 1)
        #expect(poller[0].writable)
    }

    @Test func aHalfCloseAndACloseAreReported() throws {
        let connection = try connection()
        var poller = try Poller()
        try poller.add(connection.server.raw, token: 1)
        _ = poller.wait(timeoutMilliseconds: 0)
        connection.client.shutdownWrite()
        let half = poller.wait(timeoutMilliseconds: 1000)
        try #require(half == 1)
        #expect(poller[0].readHangup && poller[0].readable && !poller[0].hangup)
        connection.server.shutdownWrite()
        let whole = poller.wait(timeoutMilliseconds: 1000)
        try #require(whole == 1)
        #expect(poller[0].hangup)
    }

    @Test func aClosedDescriptorIsForgotten() throws {
        var poller = try Poller()
        do {
            let pair = try Socket.pair()
            try poller.add(pair.first.raw, token: 1)
        }
        let gone = poller.wait(timeoutMilliseconds: 0)
        #expect(gone == 0)
        let pair = try Socket.pair()
        try poller.add(pair.first.raw, token: 2)
        poller.remove(pair.first.raw)
        let removed = poller.wait(timeoutMilliseconds: 0)
        #expect(removed == 0)
    }

    @Test func eventsBeyondTheRoomComeInLaterWaits() throws {
        var poller = try Poller(capacity: 2)
        let a = try Socket.pair()
        let b = try Socket.pair()
        for (index, raw) in [a.first.raw, a.second.raw, b.first.raw, b.second.raw].enumerated() {
            try poller.add(raw, token: UInt64(index))
        }
        var seen: Set<UInt64> = []
        for _ in 0..<2 {
            let count = poller.wait(timeoutMilliseconds: 1000)
            #expect(count == 2)
            for index in 0..<count { seen.insert(poller[index].token) }
        }
        #expect(seen == [0, 1, 2, 3])
    }

    @Test func severalPollersMayShareAListener() throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let address = try bound(listener)
        var one = try Poller()
        var other = try Poller()
        try one.addListener(listener.raw, token: 10)
        try other.addListener(listener.raw, token: 11)
        let client = try Socket.connect(to: address)
        let wanted = client.socket.localAddress
        let count = one.wait(timeoutMilliseconds: 1000)
        #expect(count == 1)
        #expect(one[0].token == 10)
        // Level-triggered: the event is reported until some thread accepts.
        let still = other.wait(timeoutMilliseconds: 1000)
        #expect(still == 1)
        let peer = try acceptOne(listener).peer
        #expect(peer == wanted)
        let first = one.wait(timeoutMilliseconds: 0)
        let second = other.wait(timeoutMilliseconds: 0)
        #expect(first == 0 && second == 0)
    }

    @Test func aCounterCountsAndDrains() throws {
        let counter = try EventCounter()
        var poller = try Poller()
        try poller.addReadable(counter.raw, token: 3)
        let empty = counter.drain()
        #expect(empty == 0)
        counter.signal()
        counter.signal()
        let count = poller.wait(timeoutMilliseconds: 0)
        #expect(count == 1)
        let drained = counter.drain()
        #expect(drained == 2)
        let after = poller.wait(timeoutMilliseconds: 0)
        #expect(after == 0)
    }

    @Test func aTickerTicksAgainAfterADrain() throws {
        let ticker = try Ticker(everyMilliseconds: 1)
        var poller = try Poller()
        try poller.addReadable(ticker.raw, token: 4)
        for _ in 0..<2 {
            let count = poller.wait(timeoutMilliseconds: nil)
            #expect(count == 1 && poller[0].token == 4 && poller[0].readable)
            let ticks = ticker.drain()
            #expect(ticks >= 1)
        }
    }
}
