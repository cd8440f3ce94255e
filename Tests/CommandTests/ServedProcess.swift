/// `larder serve` as a process, and both ends of a request that a test holds in progress.

import Bytes
import Foundation
import Kernel
import SystemPackage

final class ServedProcess {
    private let process = Process()
    private let folder: URL
    private(set) var port: UInt16 = 0

    struct NotServing: Error { let errors: String }

    /// Starts it in front of an origin on 127.0.0.1 at port `origin`, and waits until it serves.
    /// - Parameters:
    ///   - upstream: further settings of the upstream.
    ///   - log: the log's settings. `FOLDER` stands for the process's folder.
    ///   - openFiles: the limit of open files; nil: that of the tests.
    init(
        origin: UInt16 = 9, upstream: String = "", log: String = "{ access: none }", openFiles: Int? = nil
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let configuration = """
            listeners: [{ bind: 127.0.0.1:0 }]
            threads: 1
            cache: { memory: 16MiB }
            routes: [{ upstream: app }]
            upstreams: { app: { servers: [127.0.0.1:\(origin)], \(upstream) } }
            log: \(log.replacing("FOLDER", with: folder.path))
            """
        try Data(configuration.utf8).write(to: folder.appending(path: "larder.yaml"))
        try Data().write(to: folder.appending(path: "errors"))
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "larder")
        if let openFiles {
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", "ulimit -n \(openFiles) && exec '\(program.path)' serve"]
        } else {
            process.executableURL = program
            process.arguments = ["serve"]
        }
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "SWIFT_BACKTRACE" }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: "errors"))
        try process.run()
        guard waitFor(" address=127.0.0.1:"),
            let text = errors.firstMatch(of: /address=127\.0\.0\.1:(\d+)/)?.1, let port = UInt16(text)
        else { throw NotServing(errors: errors) }
        self.port = port
        _ = waitFor(" serving ")
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    var errors: String {
        (try? String(contentsOf: folder.appending(path: "errors"), encoding: .utf8)) ?? ""
    }
    var isRunning: Bool { process.isRunning }

    func connect() throws -> Socket.Connecting { try Socket.connect(to: .ipv4(0x7f00_0001, port: port)) }

    func path(_ name: String) -> String { folder.path + "/" + name }

    /// Waits until standard error holds `text`; false: the process ended without it.
    func waitFor(_ text: String) -> Bool {
        while !errors.contains(text) {
            guard process.isRunning else { return errors.contains(text) }
            usleep(1_000)
        }
        return true
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end of the process: the exit code, or minus the signal that killed it.
    func end() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// A request that its origin has received and not answered.
struct HeldRequest: ~Copyable {
    private let client: Socket
    private let origin: Socket

    init(_ server: ServedProcess, _ listener: borrowing Listener) throws {
        let connecting = try server.connect()
        try Self.wait(connecting.socket.raw, toWrite: true)
        _ = connecting.socket.send(Array("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8).span)
        try Self.wait(listener.raw)
        guard case .connection(let accepted) = listener.accept() else { throw Errno.timedOut }
        var head = ByteBuffer(capacity: 1_024)
        while !head.span.string.contains("\r\n\r\n") {
            try Self.wait(accepted.socket.raw)
            guard case .bytes = accepted.socket.receive(into: &head, atMost: 1_024) else { break }
        }
        client = connecting.socket
        origin = accepted.socket
    }

    /// The origin answers.
    func answer() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        _ = origin.send(Array(text.utf8).span)
    }

    /// Everything that the client receives until the connection ends.
    func receive() throws -> String {
        var text = ByteBuffer(capacity: 1_024)
        while true {
            try Self.wait(client.raw)
            guard case .bytes = client.receive(into: &text, atMost: 1_024) else { return text.span.string }
        }
    }

    private static func wait(_ raw: CInt, toWrite: Bool = false) throws {
        var entry = pollfd(fd: raw, events: Int16(toWrite ? POLLOUT : POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, 60_000) > 0 else { throw Errno.timedOut }
    }
}
