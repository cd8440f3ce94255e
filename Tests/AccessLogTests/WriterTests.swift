/// The way of a record from a worker to the file: order, drops, reopening, the end.

@testable import AccessLog
import Bytes
import Foundation
import Kernel
import Synchronization
import SystemPackage
import Testing

private let client = SocketAddress(parsing: "192.0.2.7:5000")!

func write(_ thread: inout AccessLogThread, _ number: Int, agent: String = "a") {
    let record = AccessRecord(
        wallMilliseconds: 1_000, version: .http11, status: 200, bytesSent: UInt64(number),
        durationMicroseconds: 1,
        cache: .hit)
    let (method, target, agent) = (Array("GET".utf8), Array("/\(number)".utf8), Array(agent.utf8))
    let texts = AccessTexts(
        client: Span(), method: method.span, target: target.span, host: Span(), referer: Span(),
        userAgent: agent.span, found: Span())
    thread.write(record, peer: client, texts)
}

private struct Folder: ~Copyable {
    let path = NSTemporaryDirectory() + "larder-access-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func lines(_ name: String) -> [Substring] {
        String(decoding: FileManager.default.contents(atPath: path + "/" + name) ?? Data(), as: UTF8.self)
            .split(separator: "\n")
    }
}

final class Notices: Sendable {
    let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
}

let short = try! LogFormat(parsing: "$target $status")

@Test func everyRecordIsWrittenOnceAndInOrder() throws {
    let folder = try Folder()
    let log = try AccessLog(.init(destination: .file(folder.path + "/log"), format: short), threads: 3) {
        Issue.record("\($0)")
    }
    var workers: [Int: Int] = [:]
    do {
        let handles = try (0..<3).map { index in
            try RunningThread(
                Kernel.Thread.spawn(name: "test", seed: Seed(log: log, index: index)) { seed in
                    var thread = seed.log.thread(seed.index)
                    for number in 0..<4_000 {
                        write(&thread, seed.index * 10_000 + number)
                        if number % 7 == 0 { thread.flush() }
                        if number % 500 == 0 { usleep(2_000) }
                    }
                    thread.flush()
                })
        }
        for handle in handles { handle.join() }
    }
    log.stop()
    let lines = folder.lines("log")
    #expect(lines.count == 12_000)
    for line in lines {
        let number = Int(line.dropFirst().prefix { $0 != " " })!
        let worker = number / 10_000
        #expect(number % 10_000 == workers[worker, default: 0])
        workers[worker, default: 0] += 1
    }
}

private struct Seed: Sendable {
    let log: AccessLog
    let index: Int
}

@Test func aFlushWakesASleepingWriter() throws {
    let folder = try Folder()
    let log = try AccessLog(.init(destination: .file(folder.path + "/log"), format: short), threads: 1) {
        Issue.record("\($0)")
    }
    var thread = log.thread(0)
    for number in 0..<5 {
        usleep(60_000)  // long enough for the writer to sleep without end
        write(&thread, number)
        thread.flush()
        var waited = 0
        while folder.lines("log").count <= number, waited < 3_000 {
            usleep(1_000)
            waited += 1
        }
        #expect(folder.lines("log").count == number + 1)
    }
    log.stop()
}

@Test func reopenFollowsARotation() throws {
    let folder = try Folder()
    let log = try AccessLog(.init(destination: .file(folder.path + "/log"), format: short), threads: 1) {
        Issue.record("\($0)")
    }
    var thread = log.thread(0)
    write(&thread, 1)
    thread.flush()
    while folder.lines("log").isEmpty { usleep(1_000) }
    try FileManager.default.moveItem(atPath: folder.path + "/log", toPath: folder.path + "/log.1")
    log.reopen()
    while !FileManager.default.fileExists(atPath: folder.path + "/log") { usleep(1_000) }
    write(&thread, 2)
    thread.flush()
    log.stop()
    #expect(folder.lines("log.1") == ["/1 200"])
    #expect(folder.lines("log") == ["/2 200"])
}

@Test func aReopenThatFailsKeepsTheOldFile() throws {
    let folder = try Folder()
    let notices = Notices()
    try FileManager.default.createDirectory(atPath: folder.path + "/d", withIntermediateDirectories: false)
    let log = try AccessLog(.init(destination: .file(folder.path + "/d/log"), format: short), threads: 1) {
        notices.add($0)
    }
    try FileManager.default.moveItem(atPath: folder.path + "/d", toPath: folder.path + "/e")
    log.reopen()
    while notices.texts.withLock({ $0.isEmpty }) { usleep(1_000) }
    #expect(notices.texts.withLock { $0.count } == 1)
    var thread = log.thread(0)
    write(&thread, 3)
    thread.flush()
    log.stop()
    #expect(folder.lines("e/log") == ["/3 200"])
    #expect(notices.texts.withLock { $0[0].contains("cannot reopen the access log") })
}

/// A pipe that nobody reads: the workers go on, the rest is dropped and counted, and stopping does not hang.
@Test func aWriterThatIsStuckDropsAndCounts() throws {
    let folder = try Folder()
    let notices = Notices()
    let path = folder.path + "/fifo"
    let made = unsafe mkfifo(path, 0o600)
    #expect(made == 0)
    let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    var options = AccessLog.Options(destination: .file(path), format: short)
    options.bytesPerThread = 100_000
    let log = try AccessLog(options, threads: 1) { notices.add($0) }
    var thread = log.thread(0)
    let agent = String(repeating: "x", count: 1_000)
    for number in 0..<20_000 { write(&thread, number, agent: agent) }
    thread.flush()
    usleep(50_000)
    // 20 000 more while the writer certainly waits for the reader.
    for number in 0..<20_000 { write(&thread, number, agent: agent) }
    thread.flush()
    let clock = ContinuousClock()
    var hasEnded = false
    let time = clock.measure { hasEnded = log.stop() }
    #expect(hasEnded && time < .seconds(30))
    #expect(notices.texts.withLock { $0.contains { $0.hasPrefix("access log \(path): nobody reads it") } })
    #expect(notices.texts.withLock { $0.last?.contains(" lines dropped so far") == true })
}

@Test func withoutADestinationNothingIsKept() throws {
    let log = try AccessLog(.init(destination: .none), threads: 1) { Issue.record("\($0)") }
    var thread = log.thread(0)
    let isEnabled = thread.isEnabled
    #expect(!isEnabled)
    write(&thread, 1)
    thread.flush()
    log.stop()
}

@Test func aFileThatCannotBeOpenedIsAnError() {
    let folder = NSTemporaryDirectory() + "larder-access-\(UUID().uuidString)"
    #expect(throws: Never.self) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = FileManager.default.createFile(atPath: folder + "/file", contents: nil)
    let socket = try? Listener.bind(SocketAddress.unix(path: folder + "/socket")!)
    _ = consume socket
    let cases = [
        ("/nonexistent/larder/log", "there is no folder /nonexistent/larder"), (folder, "it is a folder"),
        (folder + "/file/log", "Not a directory"),
        (folder + "/socket", "it is neither a file nor a pipe nor a character device"),
    ]
    for (path, cause) in cases {
        let failure = #expect(throws: AccessLogFailure.self) {
            _ = try AccessLog(.init(destination: .file(path)), threads: 1) { _ in }
        }
        #expect(failure?.description == "cannot open the access log \(path) (log.access): \(cause)")
    }
}
