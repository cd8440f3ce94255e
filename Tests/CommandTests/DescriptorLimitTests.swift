/// The program with few open files: clients and origins share them, and no server is counted as failing for
/// the shortage.

import Bytes
import Foundation
import Kernel
import Testing

@Suite struct DescriptorLimitTests {
    struct Silent: Error {}

    /// One connection, in a class so that arrays can hold it.
    final class Client {
        private let connecting: Socket.Connecting

        init(_ connecting: consuming Socket.Connecting) { self.connecting = connecting }

        func ask() throws {
            try wait(forRoom: true)
            _ = connecting.socket.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8).span)
        }

        var hasAnswer: Bool { connecting.socket.hasInput }

        /// The first line of the answer.
        func answer() throws -> String {
            try wait(forRoom: false)
            var bytes = ByteBuffer(capacity: 4_096)
            _ = connecting.socket.receive(into: &bytes, atMost: 4_096)
            return String(bytes.span.string.prefix { $0 != "\r\n" })
        }

        private func wait(forRoom: Bool) throws {
            var entry = pollfd(
                fd: connecting.socket.raw, events: Int16(forRoom ? POLLOUT : POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, 30_000) > 0 else { throw Silent() }
        }
    }

    @Test func clientsBeyondTheOpenFilesAreServedLater() throws {
        let origin = try Origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        defer { origin.stop() }
        let larder = try ServedProcess(origin: origin.port, upstream: "retries: 0", openFiles: 80)
        #expect(larder.errors.contains("the limit of open files is 80: Larder accepts"))
        #expect(larder.errors.contains("ulimit -n 30"))
        var clients: [Client] = []
        for _ in 0..<150 {
            let client = Client(try larder.connect())
            try client.ask()
            #expect(try client.answer() == "HTTP/1.1 200 OK")
            clients.append(client)
        }
    }

    /// Requests that origins hold use up the descriptors. Further requests are answered 503, and no server
    /// counts as failing.
    @Test func aFetchWithoutADescriptorIsNotTheServersFailure() throws {
        let origin = try Origin("", then: .stall)
        defer { origin.stop() }
        let larder = try ServedProcess(origin: origin.port, upstream: "retries: 0", openFiles: 200)
        var clients: [Client] = []
        while clients.count < 123, !clients.contains(where: \.hasAnswer) {
            clients.append(Client(try larder.connect()))
            try clients[clients.count - 1].ask()
        }
        #expect(larder.waitFor("no open files or socket memory are left for connections to origins"))
        while !clients.contains(where: \.hasAnswer) { usleep(1_000) }
        let answered = clients.filter(\.hasAnswer)
        for client in answered { #expect(try client.answer() == "HTTP/1.1 503 Service Unavailable") }
    }
}
