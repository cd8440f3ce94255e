/// The place where a configuration becomes a running proxy: the store is made, the data plane started, and
/// signals obeyed until it has ended.

internal import Foundation
internal import Kernel
internal import Logging
internal import Proxy
internal import Settings
internal import Store
internal import SystemPackage

enum Serving {
    /// Rows of the store for each thread: room for the generations that overlap at a reload.
    private static let rowsPerThread = 4

    /// Serves until told to stop. TERM drains, INT stops (as does a second TERM), USR1 reopens the access
    /// log.
    /// - Returns: the exit code.
    static func run(settings: Settings, logger: Logger) throws -> Int32 {
        let threads =
            switch settings.threads {
            case .auto: max(1, ProcessInfo.processInfo.activeProcessorCount)
            case .count(let count): count
            }
        do {
            // Before any thread starts: threads inherit the mask, so that signals reach this one only.
            let signals = try SignalReceiver([.terminate, .interrupt, .user1])
            try Signal.ignore(.pipe)
            // To the hard limit. Where that does not do, the server says so.
            _ = try? DescriptorLimit.raise()
            let store = try makeStore(settings.cache, rows: max(64, threads * rowsPerThread))
            let server = try Server(settings, threads: threads, store: store, notices: logger)
            logger.info(
                "serving",
                metadata: [
                    "threads": "\(threads)", "memory": "\(settings.cache.memoryBytes >> 20)MiB",
                    "routes": "\(settings.routes.count)",
                ])
            try obey(signals, server, logger)
            server.join()
            logger.info("stopped")
            return Status.success
        } catch let failure as StartFailure {
            logger.error("\(failure)")
        } catch {
            logger.error("cannot start: \(error)")
        }
        return Status.failure
    }

    private static func makeStore(_ cache: Settings.Cache, rows: Int) throws -> Store {
        do {
            return try Store.create(
                StoreOptions(memory: cache.memoryBytes, memoryMax: cache.memoryMaxBytes, rows: rows),
                bans: .purgeScopes)
        } catch StoreError.noMemory {
            throw StoreFailure(
                description: "there is no memory for a cache of \(cache.memoryBytes >> 20) MiB")
        }
    }

    private struct StoreFailure: Error, CustomStringConvertible {
        let description: String
    }

    private static func obey(_ signals: borrowing SignalReceiver, _ server: Server, _ logger: Logger) throws {
        var poller = try Poller()
        try poller.addReadable(signals.raw, token: 0)
        var draining = false
        while true {
            _ = poller.wait(timeoutMilliseconds: draining ? 100 : nil)
            while let signal = signals.next() {
                switch signal {
                case .user1: server.reopenLogs()
                case .terminate where !draining:
                    logger.info("draining")
                    draining = true
                    server.drain()
                default:
                    server.stop()
                    return
                }
            }
            if draining, server.hasEnded { return }
        }
    }
}
