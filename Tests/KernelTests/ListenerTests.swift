/// Listening: binding, accepting, shared ports, and running out of descriptors.

import Bytes
import Glibc
import Kernel
import SystemPackage
import Testing

@Suite struct ListenerTests {
    @Test func acceptingFromAnEmptyQueueWouldBlock() throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let raw = listener.raw
        let port = try bound(listener).port
        #expect(port > 0)
        #expect(closesOnExec(raw) && isNonBlocking(raw))
        guard case .wouldBlock = listener.accept() else { throw Unexpected(what: "a connection") }
    }

    @Test func aTakenAddressIsRefusedUnlessShared() throws {
        let alone = try Listener.bind(.anyLoopbackPort)
        let taken = try bound(alone)
        #expect(throws: Errno.addressInUse) { _ = try Listener.bind(taken) }
        #expect(throws: Errno.addressInUse) { _ = try Listener.bind(taken, reusePort: true) }
        let first = try Listener.bind(.anyLoopbackPort, reusePort: true)
        let shared = try bound(first)
        let second = try Listener.bind(shared, reusePort: true)
        let same = try bound(second)
        #expect(same == shared)
    }

    /// The first listener binds alone. A listener that shares its port from the start would not meet this
    /// case.
    @Test func aListenerThatBoundAloneCanShareItsPort() throws {
        let first = try Listener.bind(.anyLoopbackPort)
        let address = try bound(first)
        #expect(throws: Errno.addressInUse) { _ = try Listener.bind(address, reusePort: true) }
        try first.sharePort()
        let second = try Listener.bind(address, reusePort: true)
        #expect(throws: Errno.addressInUse) { _ = try Listener.bind(address) }
        // Both get clients.
        var clients: [Held] = []
        var queued = (false, false)
        while !(queued.0 && queued.1), clients.count < 200 {
            clients.append(Held(try Socket.connect(to: address)))
            queued = (first.hasQueued, second.hasQueued)
        }
        #expect(queued.0 && queued.1)
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"]) func aWildcardAddressTakesThePortOfEveryAddress(each: String) throws {
        let one = try Listener.bind(#require(SocketAddress(parsing: each)))
        let address = try bound(one)
        let all = each.hasPrefix("[") ? "[::]" : "0.0.0.0"
        let wanted = try #require(SocketAddress(parsing: "\(all):\(address.port)"))
        #expect(throws: Errno.addressInUse) { _ = try Listener.bind(wanted) }
    }

    /// Connections that this side closed first stay in TIME_WAIT. They do not block the address.
    @Test func aRestartCanBindItsAddress() throws {
        let address: SocketAddress
        do {
            let listener = try Listener.bind(.anyLoopbackPort)
            address = try bound(listener)
            let client = try Socket.connect(to: address)
            let accepted = try acceptOne(listener)
            accepted.socket.shutdownWrite()
            _ = try ready(client.socket.raw)
            client.socket.shutdownWrite()
            _ = try ready(accepted.socket.raw)
        }
        _ = try Listener.bind(address)
    }

    @Test func aStoppedListenerHandsOutItsQueue() throws {
        let directory = try TemporaryDirectory()
        let path = try #require(SocketAddress.unix(path: directory.path + "/socket"))
        for address in [SocketAddress.anyLoopbackPort, path] {
            let listener = try Listener.bind(address)
            let name = try bound(listener)
            let before = try Socket.connect(to: name)
            try listener.stopHandshakes()
            if name.isUnix {
                #expect(throws: Errno.connectionRefused) { _ = try Socket.connect(to: name) }
            } else {
                let late = try Socket.connect(to: name)
                let isInProgress = late.inProgress
                #expect(isInProgress)
            }
            let accepted = try acceptOne(listener)
            _ = accepted.socket.send([1].span)
            _ = try ready(before.socket.raw)
            let hasInput = before.socket.hasInput
            #expect(hasInput)
            if case .connection = listener.accept() { throw Unexpected(what: "a late connection") }
        }
    }

    @Test func ipv6ListenersLeaveThePortToIPv4() throws {
        let six = try Listener.bind(#require(SocketAddress(parsing: "[::]:0")))
        let port = try bound(six).port
        let four = try Listener.bind(.ipv4(0, port: port))
        let same = try bound(four).port
        #expect(same == port)
    }

    @Test func staleSocketFilesAreReplacedAndLiveOnesAreNot() throws {
        let directory = try TemporaryDirectory()
        let address = try #require(SocketAddress.unix(path: directory.path + "/socket"))
        do { _ = try Listener.bind(address) }
        #expect(exists(directory.path + "/socket"))
        let second = try bindStale(address)
        let replaced = try bound(second)
        #expect(replaced == address)
        #expect(throws: Errno.addressInUse) { _ = try Listener.bind(address) }
        let connecting = try Socket.connect(to: address)
        let inProgress = connecting.inProgress
        #expect(!inProgress)
        _ = try acceptOne(second)
    }

    @Test func otherFilesAreNeverReplaced() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        writeFile(path)
        let address = try #require(SocketAddress.unix(path: path))
        #expect(throws: Errno.fileExists) { _ = try Listener.bind(address) }
        #expect(exists(path))
    }

    @Test func connectionsThatEndInTheQueueDoNotHarmOthers() throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let address = try bound(listener)
        for _ in 0..<3 {
            let dying = try Socket.connect(to: address)
            dying.socket.setLingerReset()
        }
        let live = try Socket.connect(to: address)
        let wanted = live.socket.localAddress
        // Linux hands out reset connections too. In any case the live connection comes.
        for _ in 0..<4 {
            let accepted = try acceptOne(listener)
            if accepted.peer == wanted, wanted != nil { return }
        }
        throw Unexpected(what: "the live connection never came")
    }

    @Test func runningOutOfDescriptorsIsReportedAndPasses() async {
        await #expect(processExitsWith: .success) {
            let listener = try Listener.bind(.anyLoopbackPort)
            let address = try bound(listener)
            let before = DescriptorLimit.current
            let client = try Socket.connect(to: address)
            _ = try ready(listener.raw)
            // No number below the limit is free except those that the loop takes. (Descriptors that the
            // parent process left open take numbers too.)
            try DescriptorLimit.lower(to: Int(client.socket.raw) + 32)
            var taken: [CInt] = []
            while true {
                let raw = openNull()
                if raw < 0 { break }
                taken.append(raw)
            }
            guard case .descriptorLimit = listener.accept() else { throw Unexpected(what: "no limit") }
            guard case .descriptorLimit = listener.accept() else { throw Unexpected(what: "lost it") }
            #expect(throws: Errno.tooManyOpenFiles) { _ = try Socket.connect(to: address) }
            _ = Descriptor(owning: taken.removeLast())
            let accepted = try acceptOneWithoutPoller(listener)
            let (peer, wanted) = (accepted.peer, client.socket.localAddress)
            #expect(peer == wanted)
            let raised = try DescriptorLimit.raise()
            #expect(raised >= before && raised == DescriptorLimit.current)
        }
    }
}

/// Binds a socket file whose listener is closed. A process that another test starts at this moment holds a
/// copy of the listener until it executes its program; until then the file belongs to a live listener.
private func bindStale(_ address: SocketAddress) throws -> Listener {
    while true {
        do { return try Listener.bind(address) } catch {
            guard error == .addressInUse else { throw error }
        }
    }
}

/// For arrays.
private final class Held {
    private let connecting: Socket.Connecting

    init(_ connecting: consuming Socket.Connecting) { self.connecting = connecting }
}

private func acceptOneWithoutPoller(_ listener: borrowing Listener) throws -> Accepted {
    guard case .connection(let accepted) = listener.accept() else { throw Unexpected(what: "not accepted") }
    return accepted
}
