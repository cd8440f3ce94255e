/// The program with few open files: clients and origins share them, and no server is blamed for the lack.

import Bytes
import Foundation
import Kernel
import Testing

@Suite struct DescriptorLimitTests {
    struct Ended: Error { let errors: String }

    /// `larder serve` under a limit of open files, before an origin. Standard error is a file.
    final class Limited {
        private let process = Process()
        private let folder: URL
        private(set) var port: UInt16 = 0

        init(openFiles: Int, origin: UInt16) throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let configuration = """
                listeners: [{ bind: 127.0.0.1:0 }]
                threads: 1
                cache: { memory: 16MiB }
                routes: [{ upstream: app }]
                upstreams: { app: { servers: [127.0.0.1:\(origin)], retries: 0 } }
                log: { access: none }
                """
            try Data(configuration.utf8).write(to: folder.appending(path: "larder.yaml"))
            let file = folder.appending(path: "errors")
            try Data().write(to: file)
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "larder")
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", "ulimit -n \(openFiles) && exec '\(program.path)' serve"]
            process.currentDirectoryURL = folder
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: file)
            try process.run()
            try waitFor("serving ")
            let text = errors.firstMatch(of: /address=127\.0\.0\.1:(\d+)/)?.1
            port = text.flatMap { UInt16($0) } ?? 0
        }

        deinit {
            if process.isRunning { process.interrupt() }
            process.waitUntilExit()
            try? FileManager.default.removeItem(at: folder)
        }

        var errors: String {
            (try? String(contentsOf: folder.appending(path: "errors"), encoding: .utf8)) ?? ""
        }

        func waitFor(_ text: String) throws {
            while !errors.contains(text) {
                guard process.isRunning else { throw Ended(errors: errors) }
                usleep(1_000)
            }
        }

        func connect() throws -> Client { Client(try Socket.connect(to: .ipv4(0x7f00_0001, port: port))) }
    }

    /// One connection, for arrays.
    final class Client {
        private let connecting: Socket.Connecting

        init(_ connecting: consuming Socket.Connecting) { self.connecting = connecting }

        func ask() throws {
            try wait(forRoom: true)
            _ = connecting.socket.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8).span)
        }

        var hasAnswer: Bool { connecting.socket.hasInput }

        /// The first line of what has come.
        func answer() throws -> String {
            try wait(forRoom: false)
            var bytes = ByteBuffer(capacity: 4_096)
            _ = connecting.socket.receive(into: &bytes, atMost: 4_096)
            return String(bytes.span.string.prefix { $0 != "\r\n" })
        }

        private func wait(forRoom: Bool) throws {
            var entry = pollfd(
                fd: connecting.socket.raw, events: Int16(forRoom ? POLLOUT : POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, 30_000) > 0 else { throw Ended(errors: "nothing in 30 s") }
        }
    }

    @Test func clientsBeyondTheOpenFilesAreServedInTheirTurn() throws {
        let origin = try Origin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        defer { origin.stop() }
        let larder = try Limited(openFiles: 80, origin: origin.port)
        #expect(larder.errors.contains("the limit of open files is 80: Larder accepts"))
        #expect(larder.errors.contains("ulimit -n 30"))
        var clients: [Client] = []
        for _ in 0..<150 {
            let client = try larder.connect()
            try client.ask()
            #expect(try client.answer() == "HTTP/1.1 200 OK")
            clients.append(client)
        }
    }

    /// Requests that origins hold take the descriptors up: what comes then is answered 503, and no server is
    /// counted as failing.
    @Test func aFetchWithoutADescriptorIsNoFaultOfTheServer() throws {
        let origin = try Origin("", then: .stall)
        defer { origin.stop() }
        let larder = try Limited(openFiles: 200, origin: origin.port)
        var clients: [Client] = []
        while clients.count < 123, !clients.contains(where: \.hasAnswer) {
            clients.append(try larder.connect())
            try clients[clients.count - 1].ask()
        }
        try larder.waitFor("no open files or socket memory are left for connections to origins")
        while !clients.contains(where: \.hasAnswer) { usleep(1_000) }
        let answered = clients.filter(\.hasAnswer)
        for client in answered { #expect(try client.answer() == "HTTP/1.1 503 Service Unavailable") }
    }
}
