/// The main thread of `larder serve`. It waits for signals and acts on them (see `SignalMeaning`).

internal import DataPlane
internal import Kernel
internal import Logging
internal import Settings
internal import SystemPackage

struct SignalWatch: ~Copyable {
    /// The longest time that threads may take to end after they were told to.
    static let endMilliseconds: UInt64 = 5_000

    private var poller: Poller
    private let signals: SignalReceiver
    private let drainMilliseconds: UInt64
    private let logger: Logger

    init(_ settings: Settings, _ logger: Logger) throws(Errno) {
        let signals = try SignalReceiver(Array(SignalMeaning.received.keys))
        let poller = try Poller()
        try poller.addReadable(signals.raw, token: 0)
        self.poller = poller
        self.signals = signals
        self.logger = logger
        drainMilliseconds = UInt64(settings.limits.drainMilliseconds)
    }

    /// Waits until serving has started or has failed to start. A signal may end the process before that.
    mutating func waitFor(_ start: StartResult) throws -> Server {
        try poller.addReadable(start.raw, token: 1)
        while true {
            _ = poller.wait(timeoutMilliseconds: nil)
            // Look at the result before the signals: once the server has started, `obey` handles them.
            if let result = start.result {
                poller.remove(start.raw)
                return try result.get()
            }
            while let signal = signals.next() {
                guard SignalMeaning.received[signal]?.endsProcess == true else { continue }
                logger.info("stopped before serving")
                Program.leave(Status.success)
            }
        }
    }

    /// Acts on signals until the server has ended, or until its time to end is over.
    mutating func obey(_ server: Server) {
        var ending = Ending.none
        var hasWaited = false
        while true {
            // In the first round do not wait: a signal may have arrived before.
            if hasWaited { _ = poller.wait(timeoutMilliseconds: ending.pollMilliseconds) }
            hasWaited = true
            let now = Clock.monotonicMilliseconds()
            while let signal = signals.next() { obey(signal, server, now, &ending) }
            switch ending {
            case .none: continue
            case .draining(let end) where now >= end:
                server.stop()
                ending = .stopping(until: now + Self.endMilliseconds)
            case .stopping(let end) where now >= end: return
            case .draining, .stopping: if server.hasEnded { return }
            }
        }
    }

    private func obey(_ signal: Signal, _ server: Server, _ now: UInt64, _ ending: inout Ending) {
        switch SignalMeaning.received[signal] {
        case .reopenLogs: server.reopenLogs()
        case .notice(let text): logger.warning("\(text)")
        case .drain where ending == .none:
            logger.info("draining")
            server.drain()
            ending = .draining(until: now + drainMilliseconds + Self.endMilliseconds)
        case .drain, .stop:
            server.stop()
            ending = .stopping(until: now + Self.endMilliseconds)
        case nil: break
        }
    }

    /// The phase of the server's end, and the time at which it is over.
    private enum Ending: Equatable {
        case none
        case draining(until: UInt64)
        case stopping(until: UInt64)

        var pollMilliseconds: Int? {
            switch self {
            case .none: nil
            case .draining: 100
            case .stopping: 10
            }
        }
    }
}

/// The result of the start, which the starting thread hands to the main thread.
final class StartResult: Sendable {
    private let counter: EventCounter
    private let outcome = Locked<Result<Server, any Error>?>(nil)

    init() throws(Errno) { counter = try EventCounter() }

    /// A descriptor that becomes readable when there is a result.
    var raw: CInt { counter.raw }
    var result: Result<Server, any Error>? { outcome.withLock { $0 } }

    func end(_ result: Result<Server, any Error>) {
        outcome.withLock { $0 = result }
        counter.signal()
    }
}
