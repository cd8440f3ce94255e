/// What signals do to `larder serve`: docs/operation.md is the table in words.

import Foundation
import Kernel
import Testing

@Suite(.serialized) struct SignalTests {
    /// A request is under way, its origin has not answered: it ends well, and the process goes on.
    @Test func signalsThatChangeNothing() throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let server = try ServedProcess(
            origin: listener.localAddress?.port ?? 0, more: "log: { access: FOLDER/log }")
        let signals: [(number: Int32, notice: String?)] = [
            (SIGHUP, "HUP is ignored: reload is not built yet"),
            (SIGUSR2, "USR2 is ignored: upgrade is not built yet"), (SIGXCPU, "XCPU: Larder has reached its "
                + "limit of processor time"),
            (SIGUSR1, nil), (SIGPIPE, nil), (SIGXFSZ, nil), (SIGALRM, nil), (SIGVTALRM, nil), (SIGPROF, nil),
            (SIGIO, nil), (SIGPWR, nil), (SIGSTKFLT, nil), (SIGWINCH, nil), (SIGCHLD, nil), (SIGURG, nil),
            (SIGCONT, nil), (34, nil), (37, nil), (64, nil),
        ]
        for (number, notice) in signals {
            let request = try HeldRequest(server, listener)
            server.send(number)
            if let notice { #expect(server.waitFor(notice), "signal \(number)") }
            request.answer()
            let answer = try request.receive()
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nok"), "signal \(number)")
        }
        // Stopped and continued, as by a terminal.
        let request = try HeldRequest(server, listener)
        server.send(SIGSTOP)
        server.send(SIGCONT)
        request.answer()
        #expect(try request.receive().hasSuffix("\r\n\r\nok"))
        #expect(server.isRunning)
        server.send(SIGTERM)
        #expect(server.end() == 0)
    }

    /// TERM and QUIT let a request end.
    @Test(arguments: [SIGTERM, SIGQUIT])
    func drains(signal: Int32) throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let server = try ServedProcess(origin: listener.localAddress?.port ?? 0)
        let request = try HeldRequest(server, listener)
        server.send(signal)
        #expect(server.waitFor("draining"))
        // Neither of these hurries it.
        for number in [SIGHUP, SIGUSR1, SIGUSR2] { server.send(number) }
        request.answer()
        #expect(try request.receive().hasSuffix("\r\n\r\nok"))
        #expect(server.end() == 0)
        #expect(server.errors.contains("stopped"))
    }

    /// INT stops, and so does any of the three while a drain is under way.
    @Test(arguments: [
        [SIGINT], [SIGTERM, SIGTERM], [SIGTERM, SIGINT], [SIGTERM, SIGQUIT], [SIGQUIT, SIGQUIT],
        [SIGQUIT, SIGTERM],
    ])
    func stops(signals: [Int32]) throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let server = try ServedProcess(origin: listener.localAddress?.port ?? 0)
        let request = try HeldRequest(server, listener)
        for (index, signal) in signals.enumerated() {
            if index > 0 { #expect(server.waitFor("draining")) }
            server.send(signal)
        }
        #expect(server.end() == 0)
        #expect(try request.receive().isEmpty)
    }

    /// What tells of a crash ends the process as a crash does, at once, with a few lines and no more, also
    /// where it is sent from outside.
    @Test(arguments: [
        (SIGSEGV, "SIGSEGV"), (SIGBUS, "SIGBUS"), (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"),
        (SIGFPE, "SIGFPE"), (SIGABRT, "SIGABRT"), (SIGSYS, "SIGSYS"),
    ])
    func crashes(signal: Int32, name: String) throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let server = try ServedProcess(origin: listener.localAddress?.port ?? 0)
        let request = try HeldRequest(server, listener)
        let before = server.errors
        server.send(signal)
        #expect(server.end() == -signal)
        let text = server.errors.dropFirst(before.count)
        #expect(text.hasPrefix("larder 0.1.0 ended by \(name) ("))
        #expect(text.contains("), sent by process \(getpid()); thread "))
        #expect(text.split(separator: "\n").count == 2)
        #expect(try request.receive().isEmpty)
    }

    /// Nobody reads the log's pipe, or it has no reader at all: requests are served, and every signal that
    /// ends the process does.
    @Test(arguments: [SIGTERM, SIGQUIT, SIGINT])
    func aLogThatNobodyReads(signal: Int32) throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        let folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = unsafe mkfifo(folder + "/pipe", 0o600)
        #expect(made == 0)
        let server = try ServedProcess(
            origin: listener.localAddress?.port ?? 0, more: "log: { access: \(folder)/pipe }")
        for _ in 0..<3 {
            let request = try HeldRequest(server, listener)
            server.send(SIGUSR1)
            request.answer()
            #expect(try request.receive().hasSuffix("\r\n\r\nok"))
        }
        server.send(signal)
        #expect(server.end() == 0)
    }
}
