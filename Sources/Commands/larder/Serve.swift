/// Turns a configuration into a running proxy: creates the store, starts the data plane, and acts on signals
/// until the data plane has ended.

internal import DataPlane
internal import Foundation
internal import Kernel
internal import Logging
internal import Settings
internal import Store
internal import SystemPackage

enum Serving {
    /// Rows of the store for each thread. A reload needs several, because old and new threads overlap.
    private static let rowsPerThread = 4

    /// Serves until a signal ends it (see `SignalMeaning`).
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
        // Block signals before any thread starts: threads inherit the mask, so only this thread gets signals.
        var watch = try SignalWatch(settings, logger)
        // Raise the limit of open files to the hard limit. The server reports if that is not enough.
        _ = try? DescriptorLimit.raise()
        // Start in a separate thread: a slow name server or disk must not delay the handling of signals.
        let start = try StartResult()
        do {
            try spawn(start, settings, logger)
        } catch {
            throw ServeFailure("cannot start a thread: \(error)")
        }
        let server = try watch.waitFor(start)
        watch.obey(server)
        let hasEnded = server.join(withinMilliseconds: Int(SignalWatch.endMilliseconds))
        logger.info("stopped")
        // A normal exit destroys objects that threads still running would use. Leave without it.
        if !hasEnded { Program.leave(Status.failure) }
        return Status.success
    }

    private static func spawn(_ start: StartResult, _ settings: Settings, _ logger: Logger) throws {
        _ = try Thread.spawn(name: "start", seed: start) { start in
            let made = Result { try makeServer(settings, logger) }
            start.end(made.map(\.server))
            // Write this notice last: someone who waits for it may send a signal, and expects a serving
            // Larder.
            if case .success(let made) = made { logger.info("serving", metadata: made.summary) }
        }
    }

    /// A server that has started, and the metadata of the notice about it.
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

/// Why serving cannot start, as a message for the user.
private struct ServeFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(store error: StoreError, _ cache: Settings.Cache) {
        switch error {
        case .noMemory:
            description = "there is not enough memory for a cache of \(cache.memoryBytes >> 20) MiB"
        case .system(code: Errno.fileTooLarge.rawValue):
            description =
                "a cache that may grow to \(cache.memoryMaxBytes >> 20) MiB (cache.memoryMax) exceeds the "
                + "limit of the file size (ulimit -f, systemd's LimitFSIZE=)"
        default: description = error.description
        }
    }

    init(refused call: String, _ error: Errno) {
        description =
            "the system call \(call) is refused (\(error)): "
            + (error == .noFunction ? "the kernel does not have this call, or a" : "a")
            + " filter of system calls (a container's seccomp profile, systemd's SystemCallFilter=) does not "
            + "allow it"
    }
}
