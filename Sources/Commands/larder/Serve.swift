/// The place where a configuration becomes a running proxy: the store is made, the data plane started, and
/// signals obeyed until it has ended.

internal import Foundation
internal import Kernel
internal import Logging
internal import DataPlane
internal import Settings
internal import Store
internal import SystemPackage

enum Serving {
    /// Rows of the store for each thread: room for the generations that overlap at a reload.
    private static let rowsPerThread = 4

    /// Serves until told to stop, as `SignalMeaning` says.
    /// - Returns: the exit code.
    static func run(settings: Settings, logger: Logger) -> Int32 {
        Signal.ignore(SignalMeaning.ignored)
        do {
            if let refused = Program.refusedCall { throw ServeFailure(refused: refused.name, refused.error) }
            return try serve(settings, logger)
        } catch let failure as StartFailure {
            logger.error("\(failure)")
        } catch {
            logger.error("cannot start: \(error)")
        }
        return Status.failure
    }

    private static func serve(_ settings: Settings, _ logger: Logger) throws -> Int32 {
        // Before any thread starts: threads inherit the mask, so that signals reach this one only.
        var watch = try SignalWatch(settings, logger)
        // To the hard limit. Where that does not do, the server says so.
        _ = try? DescriptorLimit.raise()
        // In a thread of its own: a name server or a disk that does not answer must not keep signals waiting.
        let start = try Start()
        do {
            try spawn(start, settings, logger)
        } catch {
            throw ServeFailure("no thread may be started: \(error)")
        }
        let server = try watch.waitFor(start)
        watch.obey(server)
        let hasEnded = server.join(withinMilliseconds: Int(SignalWatch.endMilliseconds))
        logger.info("stopped")
        // Threads that are left would meet what the end of a process takes down.
        if !hasEnded { Program.leave(Status.failure) }
        return Status.success
    }

    private static func spawn(_ start: Start, _ settings: Settings, _ logger: Logger) throws {
        _ = try Thread.spawn(name: "start", seed: start) { start in
            let made = Result { try makeServer(settings, logger) }
            start.end(made.map(\.server))
            // The reader of this notice may send a signal: the main thread takes it for a serving process.
            if case .success(let made) = made { logger.info("serving", metadata: made.summary) }
        }
    }

    /// A server that has started, and what the notice says of it.
    private struct Made {
        let server: Server
        let summary: Logger.Metadata
    }

    private static func makeServer(_ settings: Settings, _ logger: Logger) throws -> Made {
        let threads =
            switch settings.threads {
            case .auto: max(1, ProcessInfo.processInfo.activeProcessorCount)
            case .count(let count): count
            }
        let fitting = try settings.fitting(memoryLimit: MemoryLimit.bytes(), threads: threads)
        if let note = fitting.note { logger.warning("\(note)") }
        let settings = fitting.settings
        let store = try makeStore(settings.cache, rows: max(64, threads * rowsPerThread))
        let server = try Server(
            settings, threads: threads, store: store, installation: Installation.description, notices: logger)
        return Made(
            server: server,
            summary: [
                "threads": "\(threads)", "memory": "\(settings.cache.memoryBytes >> 20)MiB",
                "routes": "\(settings.routes.count)",
            ])
    }

    private static func makeStore(_ cache: Settings.Cache, rows: Int) throws -> Store {
        do {
            return try Store.create(
                StoreOptions(memory: cache.memoryBytes, memoryMax: cache.memoryMaxBytes, rows: rows),
                bans: .purgeScopes)
        } catch {
            throw ServeFailure(store: error, cache)
        }
    }
}

/// Why serving cannot start, for the user to see.
private struct ServeFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(store error: StoreError, _ cache: Settings.Cache) {
        switch error {
        case .noMemory: description = "there is no memory for a cache of \(cache.memoryBytes >> 20) MiB"
        case .system(code: Errno.fileTooLarge.rawValue):
            description =
                "a cache that may grow to \(cache.memoryMaxBytes >> 20) MiB (cache.memoryMax) is above the "
                + "limit of a file's size (ulimit -f, systemd's LimitFSIZE=)"
        default: description = error.description
        }
    }

    init(refused call: String, _ error: Errno) {
        description =
            "the system call \(call) is refused (\(error)): "
            + (error == .noFunction ? "this kernel does not have it, or a" : "a")
            + " filter of system calls (a container's seccomp profile, systemd's SystemCallFilter=) has to "
            + "allow it"
    }
}
