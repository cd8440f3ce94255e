/// Sockets over loopback and socket pairs: partial reads and writes, half-close, resets, addresses.

import Bytes
import Kernel
import SystemPackage
import Testing

@Suite struct SocketTests {
    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func bytesCrossBothWays(_ address: String) throws {
        let connection = try connection(at: #require(SocketAddress(parsing: address)))
        let client = (local: connection.client.localAddress, remote: connection.client.peerAddress)
        let server = (local: connection.server.localAddress, remote: connection.peer)
        #expect(client.local == server.remote)
        #expect(client.remote == server.local)
        let there = connection.client.send(buffer("ping").span)
        #expect(there == .bytes(4))
        #expect(try text(4, from: connection.server) == "ping")
        let back = connection.server.send(buffer("pong!").span, more: false)
        #expect(back == .bytes(5))
        #expect(try text(5, from: connection.client) == "pong!")
    }

    @Test func unixSocketsCarryCredentials() throws {
        let directory = try TemporaryDirectory()
        let address = try #require(SocketAddress.unix(path: directory.path + "/s"))
        let connection = try connection(at: address)
        let (peer, remote) = (connection.peer, connection.client.peerAddress)
        let credentials = connection.server.peerCredentials
        #expect(peer.unixPath == "" && remote == address)
        #expect(credentials?.processID == ProcessInfoID.current)
        let sent = connection.client.send(buffer("x").span)
        #expect(sent == .bytes(1))
        #expect(try text(1, from: connection.server) == "x")
    }

    @Test func everySocketIsNonBlockingCloseOnExecAndNoDelay() throws {
        let connection = try connection()
        for raw in [connection.client.raw, connection.server.raw] {
            #expect(isNonBlocking(raw) && closesOnExec(raw))
            // The accepted socket inherits it from the listener.
            #expect(hasNoDelay(raw))
        }
        let credentials = connection.server.peerCredentials
        #expect(credentials == nil)
        let pair = try Socket.pair()
        let (first, second) = (pair.first.raw, pair.second.raw)
        #expect(isNonBlocking(first) && closesOnExec(second))
    }

    @Test func oneCallSendsUpToFourRunsInOrder() throws {
        let pair = try Socket.pair()
        let empty = ByteBuffer(capacity: 0)
        let a = buffer("a")
        let b = buffer("bb")
        let c = buffer("ccc")
        let d = buffer("dddd")
        let two = pair.first.send(a.span, b.span)
        let three = pair.first.send(a.span, b.span, c.span)
        let four = pair.first.send(a.span, b.span, c.span, d.span)
        let gaps = pair.first.send(empty.span, b.span, empty.span, d.span)
        let nothing = pair.first.send(empty.span)
        #expect([two, three, four, gaps, nothing] == [.bytes(3), .bytes(6), .bytes(10), .bytes(6), .bytes(0)])
        #expect(try text(25, from: pair.second) == "abbabbcccabbcccddddbbdddd")
    }

    @Test func aFullSocketTakesAPartAndThenNothing() throws {
        let connection = try connection()
        var pattern = ByteBuffer(capacity: 1 << 20)
        for index in 0..<(1 << 20) { pattern.append(UInt8(truncatingIfNeeded: index &* 31)) }
        var sent = 0
        var sawPartial = false
        filling: while true {
            switch connection.client.send(pattern.span, pattern.span, pattern.span, pattern.span) {
            case .bytes(let n):
                if n < 4 << 20 { sawPartial = true }
                sent += n
            case .wouldBlock: break filling
            case .endOfStream, .failed: throw Unexpected(what: "send failed")
            }
            // A partial send begins again at the pattern's start: only whole rounds keep the phase.
            if sawPartial { break }
        }
        #expect(sawPartial)
        let received = try receive(sent, from: connection.server)
        #expect(received.count == sent)
        let intact = received.indices.allSatisfy { index in
            received[index] == UInt8(truncatingIfNeeded: (index % (1 << 20)) &* 31)
        }
        #expect(intact)
    }

    @Test func receivingAppendsAtMostTheLimit() throws {
        let pair = try Socket.pair()
        var received = buffer("have:")
        let early = pair.second.receive(into: &received, atMost: 10)
        #expect(early == .wouldBlock)
        _ = pair.first.send(buffer("0123456789").span)
        let first = pair.second.receive(into: &received, atMost: 4)
        let second = pair.second.receive(into: &received, atMost: 100)
        #expect(first == .bytes(4) && second == .bytes(6))
        #expect(received.span.string == "have:0123456789")
    }

    @Test func halfCloseEndsOneDirection() throws {
        let connection = try connection()
        _ = connection.client.send(buffer("last").span)
        connection.client.shutdownWrite()
        #expect(try text(100, from: connection.server) == "last")
        var rest = ByteBuffer(capacity: 8)
        let end = connection.server.receive(into: &rest, atMost: 8)
        #expect(end == .endOfStream)
        _ = connection.server.send(buffer("still").span)
        #expect(try text(5, from: connection.client) == "still")
    }

    @Test func lingerResetReachesThePeerAsReset() throws {
        let server = try connection().dropClientWithReset()
        let event = try ready(server.raw)
        #expect(event.error && event.hangup)
        var rest = ByteBuffer(capacity: 8)
        let end = server.receive(into: &rest, atMost: 8)
        #expect(end == .failed(.connectionReset))
        // A dead peer gives an error value, not a SIGPIPE.
        let dead = server.send(buffer("x").span)
        #expect(dead == .failed(.brokenPipe))
    }

    @Test func aRefusedConnectIsReportedAsWritable() throws {
        var address = SocketAddress.anyLoopbackPort
        do {
            // A port that this process used a moment ago: no socket listens on it.
            let listener = try Listener.bind(address)
            address = try bound(listener)
        }
        do {
            let connecting = try Socket.connect(to: address)
            var poller = try Poller()
            try poller.add(connecting.socket.raw, token: 7)
            let count = poller.wait(timeoutMilliseconds: 10_000)
            try #require(count == 1)
            #expect(poller[0].token == 7 && poller[0].writable)
            let error = connecting.socket.connectError()
            #expect(error == .connectionRefused)
            let again = connecting.socket.connectError()
            #expect(again == nil)
        } catch let error as Errno {
            // Loopback may refuse at once.
            #expect(error == .connectionRefused)
        }
    }

    @Test func descriptorsCloseOnceAndCanBeReleased() throws {
        let number = openNull()
        do { _ = Descriptor(owning: number) }
        #expect(!isOpen(number))
        let kept = Descriptor(owning: openNull()).release()
        #expect(isOpen(kept))
        _ = Descriptor(owning: kept)
    }
}

extension Connection {
    consuming func dropClientWithReset() -> Socket {
        client.setLingerReset()
        return server
    }
}
