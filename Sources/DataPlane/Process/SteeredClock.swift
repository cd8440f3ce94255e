/// Clocks that a test holds and moves: a day may pass between two requests, and every Age is known to the
/// second.
///
/// The clocks that ages are counted on always stand still until they are moved. Timeouts follow either the
/// kernel's clock, and can be brought nearer by `skip`, or with `steersTimeouts` the same held clock: then
/// nothing depends on real time.
///
/// A server takes one at its start. In production there is none: the kernel's clocks are read.

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

    /// Both stand still until they are moved.
    /// - Parameters:
    ///   - wallMilliseconds: Unix time.
    ///   - steersTimeouts: timeouts follow this clock too, and not the kernel's.
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

    /// Lets time pass for timeouts alone. What runs out by that, runs out in the next turn of a loop.
    public func skip(milliseconds: UInt64) { skipped.wrappingAdd(milliseconds, ordering: .releasing) }

    /// Sets the wall clock alone, as an administrator would: the boot clock does not jump.
    public func setWall(milliseconds: UInt64) { wall.store(milliseconds, ordering: .releasing) }

    /// What durations and timeouts count in.
    var microseconds: UInt64 {
        steersTimeouts ? boot.load(ordering: .acquiring) * 1_000 : Clock.bootMicroseconds()
    }

    var skippedMilliseconds: UInt64 { skipped.load(ordering: .acquiring) }

    /// Keeps whoever reads it waiting while `body` runs. A turn reads it once, behind its wait for events:
    /// one that is kept has its events, and what happens until `body` ends is found together by the next.
    /// - Parameter body: is given the question whether somebody is kept.
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
    /// What `clock` says, else the kernel's clocks.
    static func read(_ clock: SteeredClock?) -> Times {
        if let clock { return clock.times }
        return Times(
            wallMilliseconds: Clock.wallMilliseconds(), bootMilliseconds: Clock.bootMilliseconds())
    }
}
