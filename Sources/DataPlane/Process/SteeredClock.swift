/// Clocks that a test moves by hand. A test can let a day pass between two requests, and knows every Age to
/// the second.
///
/// Ages are counted on these clocks, which stand still until they are moved. Timeouts follow the kernel's
/// clock, and `skip` brings them nearer. With `steersTimeouts` the timeouts also follow these clocks: then
/// nothing depends on real time.
///
/// A test gives one to a `Server` at its start. In production there is none: the server reads the kernel's
/// clocks.

internal import Caching
internal import Kernel
internal import Synchronization

public final class SteeredClock: Sendable {
    private let wall: Atomic<UInt64>
    private let boot: Atomic<UInt64>
    private let skipped = Atomic<UInt64>(0)
    private let held = Locked(())
    private let kept = Atomic(0)
    private let steersTimeouts: Bool

    /// Both clocks stand still until they are moved.
    /// - Parameters:
    ///   - wallMilliseconds: Unix time.
    ///   - steersTimeouts: timeouts also follow this clock, not the kernel's.
    public init(wallMilliseconds: UInt64, bootMilliseconds: UInt64, steersTimeouts: Bool = false) {
        self.steersTimeouts = steersTimeouts
        wall = Atomic(wallMilliseconds)
        boot = Atomic(bootMilliseconds)
    }

    /// Unix time.
    public var wallMilliseconds: UInt64 { wall.load(ordering: .acquiring) }

    /// Lets time pass on both clocks.
    public func advance(milliseconds: UInt64) {
        boot.wrappingAdd(milliseconds, ordering: .releasing)
        wall.wrappingAdd(milliseconds, ordering: .releasing)
    }

    /// Lets time pass for timeouts only. A timeout that runs out by this fires in the loop's next turn.
    public func skip(milliseconds: UInt64) { skipped.wrappingAdd(milliseconds, ordering: .releasing) }

    /// Sets only the wall clock, as an administrator does. The boot clock does not jump.
    public func setWall(milliseconds: UInt64) { wall.store(milliseconds, ordering: .releasing) }

    /// The clock that durations and timeouts count on.
    var microseconds: UInt64 {
        steersTimeouts ? boot.load(ordering: .acquiring) * 1_000 : Clock.bootMicroseconds()
    }

    var skippedMilliseconds: UInt64 { skipped.load(ordering: .acquiring) }

    /// Stops every worker that reads the clock while `body` runs. A worker reads it once a turn, after it has
    /// waited for events. So a worker that is stopped here already has its events, and all that happens until
    /// `body` ends comes to its next turn together.
    /// - Parameter body: `isAwaited` says whether a worker is stopped.
    public func hold(_ body: (_ isAwaited: () -> Bool) throws -> Void) throws {
        try held.withLock { _ in
            try body { kept.load(ordering: .acquiring) > 0 }
        }
    }

    var times: Times {
        kept.wrappingAdd(1, ordering: .releasing)
        return held.withLock { _ in
            kept.wrappingSubtract(1, ordering: .releasing)
            return Times(
                wallMilliseconds: wallMilliseconds, bootMilliseconds: boot.load(ordering: .acquiring))
        }
    }
}

extension Times {
    /// Reads `clock`, or the kernel's clocks if it is nil.
    static func read(_ clock: SteeredClock?) -> Times {
        if let clock { return clock.times }
        return Times(
            wallMilliseconds: Clock.wallMilliseconds(), bootMilliseconds: Clock.bootMilliseconds())
    }
}
