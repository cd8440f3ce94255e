/// Difficult destinations of the log: pipes without a reader, full disks, file size limits. Serving never
/// waits for them, lines are never joined, and lost lines are counted.

@testable import AccessLog
import Foundation
import Kernel
import Synchronization
import SystemPackage
import Testing

@Suite struct DestinationTests {
    let folder = NSTemporaryDirectory() + "larder-log-\(UUID().uuidString)"
    let notices = Notices()

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func pipe(_ mode: mode_t = 0o600) -> String {
        let path = folder + "/pipe"
        let made = unsafe mkfifo(path, mode)
        #expect(made == 0)
        return path
    }

    private func log(_ path: String, bytesPerThread: Int = 1 << 20) throws -> AccessLog {
        var options = AccessLog.Options(destination: .file(path), format: short)
        options.bytesPerThread = bytesPerThread
        return try AccessLog(options, threads: 1) { notices.add($0) }
    }

    /// The lines read from a pipe once `count` have come.
    private func read(_ path: String, lines count: Int) -> [Substring] {
        let reader = unsafe open(path, O_RDONLY)
        defer { close(reader) }
        var bytes: [UInt8] = []
        while bytes.count(where: { $0 == 0x0a }) < count {
            var piece = [UInt8](repeating: 0, count: 65_536)
            let n = unsafe Glibc.read(reader, &piece, piece.count)
            guard n > 0 else { break }
            bytes += piece[..<n]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// No reader at the start; then one that comes and leaves; then another. Nothing waits, and nothing is
    /// lost while the pipe has room.
    @Test func aPipeKeepsItsLinesWhileReadersComeAndGo() throws {
        let path = pipe()
        let log = try log(path)
        var thread = log.thread(0)
        write(&thread, 1)
        thread.flush()
        #expect(read(path, lines: 1) == ["/1 200"])
        // That reader is gone.
        write(&thread, 2)
        thread.flush()
        log.reopen()
        write(&thread, 3)
        thread.flush()
        #expect(read(path, lines: 2) == ["/2 200", "/3 200"])
        #expect(log.stop())
        #expect(notices.texts.withLock { $0.isEmpty })
    }

    @Test func aPipeWithoutAReaderDelaysNeitherStartNorEnd() throws {
        let log = try log(pipe())
        var thread = log.thread(0)
        write(&thread, 1)
        thread.flush()
        log.reopen()
        #expect(log.stop())
    }

    /// While the pipe is full, a rotation still takes effect: the next lines go to the new file, complete.
    @Test func aRotationFreesAWriterOfAFullPipe() throws {
        let path = pipe()
        let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let log = try log(path)
        var thread = log.thread(0)
        // More bytes than a pipe holds.
        for number in 0..<50_000 { write(&thread, number) }
        thread.flush()
        while notices.texts.withLock({ $0.isEmpty }) { usleep(1_000) }
        try FileManager.default.moveItem(atPath: path, toPath: folder + "/old")
        log.reopen()
        while !FileManager.default.fileExists(atPath: path) { usleep(1_000) }
        write(&thread, 7_000_000)
        thread.flush()
        #expect(log.stop())
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.last == "/7000000 200")
        #expect(lines.allSatisfy { $0.wholeMatch(of: /\/\d+ 200/) != nil })
        // Some lines were dropped while the old pipe was full; none is out of order.
        let numbers = lines.dropLast().compactMap { Int($0.dropFirst().prefix { $0 != " " }) }
        for (before, after) in zip(numbers, numbers.dropFirst()) { #expect(after > before) }
    }

    @Test func aFullDeviceCausesANotice() throws {
        let log = try log("/dev/full")
        var thread = log.thread(0)
        for number in 0..<7 { write(&thread, number) }
        thread.flush()
        #expect(log.stop())
        #expect(
            notices.texts.withLock { $0 } == [
                "access log /dev/full: cannot be written: No space left on device; 7 lines dropped so far"
            ])
    }

    /// A line that the file size limit cut stays as it is, and the next line begins on a line of its own.
    @Test func aFileSizeLimitIsTreatedAsAFullDisk() async {
        await #expect(processExitsWith: .success) {
            let path = NSTemporaryDirectory() + "larder-log-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            let notices = Notices()
            Signal.ignore([.fileSize])
            var limit = rlimit()
            #expect(unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            limit.rlim_cur = 100
            #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let log = try AccessLog(.init(destination: .file(path), format: short), threads: 1) {
                notices.add($0)
            }
            var thread = log.thread(0)
            for number in 10..<40 { write(&thread, number) }
            thread.flush()
            while notices.texts.withLock({ $0.isEmpty }) { usleep(1_000) }
            let first = notices.texts.withLock { $0[0] }
            #expect(first.contains("it has reached the limit of a file's size"))
            #expect(first.hasSuffix("18 lines dropped so far"))
            limit.rlim_cur = limit.rlim_max
            #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            write(&thread, 99)
            thread.flush()
            #expect(log.stop())
            let text = try String(contentsOfFile: path, encoding: .utf8)
            // 100 bytes: twelve lines of eight, and half of another.
            #expect(text == (10..<22).map { "/\($0) 200\n" }.joined() + "/22 \n/99 200\n")
        }
    }

    /// A line that an earlier process left incomplete is not continued.
    @Test func aFileThatEndsInsideALineIsContinuedOnANewLine() throws {
        let path = folder + "/log"
        for (before, after) in [("/1 2", "/1 2\n/2 200\n"), ("/1 200\n", "/1 200\n/2 200\n"), ("", "/2 200\n")] {
            try before.write(toFile: path, atomically: false, encoding: .utf8)
            let log = try log(path)
            var thread = log.thread(0)
            write(&thread, 2)
            thread.flush()
            #expect(log.stop())
            #expect(try String(contentsOfFile: path, encoding: .utf8) == after)
        }
    }
}

/// The notices about a log's trouble, and when they come. Time and events are values.
@Suite struct TroubleTests {
    @Test func lossesAreToldAtOnceThenCountedThenEnded() {
        var trouble = LogTrouble(name: "x")
        #expect(trouble.notice(now: 0) == nil)
        trouble.note(.failed(.noSpace), lines: 1)
        #expect(
            trouble.notice(now: 100)
                == "access log x: cannot be written: No space left on device; 1 line dropped so far")
        trouble.note(.failed(.noSpace), lines: 2)
        #expect(trouble.notice(now: 5_000) == nil && trouble.isPending)
        #expect(
            trouble.notice(now: 10_100)
                == "access log x: cannot be written: No space left on device; 3 lines dropped so far")
        #expect(!trouble.isPending && trouble.notice(now: 99_999) == nil)
        trouble.note(.failed(.noSpace), lines: 4)
        trouble.noteWritten()
        #expect(trouble.notice(now: 20_099) == nil)
        #expect(trouble.notice(now: 20_100) == "access log x: written again; 7 lines dropped")
        #expect(!trouble.isPending && trouble.notice(now: 99_999) == nil)
    }

    @Test func aSlowReaderIsToldOnceAndCountedLater() {
        var trouble = LogTrouble(name: "x")
        trouble.note(.unread)
        #expect(trouble.notice(now: 0)?.hasSuffix("nobody reads it; lines wait, and are dropped when they are too many") == true)
        trouble.note(.unread)
        #expect(trouble.notice(now: 20_000) == nil)
        trouble.note(.unread, lines: 9)
        #expect(trouble.notice(now: 30_000) == "access log x: nobody reads it; 9 lines dropped so far")
        trouble.noteWritten()
        #expect(trouble.notice(now: 50_000) == "access log x: written again; 9 lines dropped")
    }

    @Test func aShortLossIsToldOnce() {
        var trouble = LogTrouble(name: "x")
        trouble.note(.slow, lines: 5)
        trouble.noteWritten()
        #expect(trouble.notice(now: 0) == "access log x: 5 lines dropped, the writer could not keep up")
        trouble.noteWritten()
        #expect(trouble.notice(now: 99_999, isLast: true) == nil)
    }

    @Test func theEndTellsTheRemainingLosses() {
        var trouble = LogTrouble(name: "x")
        trouble.note(.failed(.ioError), lines: 5)
        _ = trouble.notice(now: 0)
        trouble.note(.failed(.ioError), lines: 1)
        #expect(
            trouble.notice(now: 1, isLast: true)
                == "access log x: cannot be written: Input/output error; 6 lines dropped so far")
    }
}
