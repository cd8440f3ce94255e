/// One instant on the two clocks that ages are counted on.
///
/// The boot clock runs on while the machine sleeps and never jumps; the wall clock can be set. An age is
/// taken as the larger of what the two say, so that neither a clock set back nor one that stood still makes
/// an answer younger.
public struct Times: BitwiseCopyable, Sendable, Equatable {
    /// Since the Unix epoch.
    public var wallMilliseconds: UInt64
    /// CLOCK_BOOTTIME.
    public var bootMilliseconds: UInt64

    @inlinable
    public init(wallMilliseconds: UInt64, bootMilliseconds: UInt64) {
        self.wallMilliseconds = wallMilliseconds
        self.bootMilliseconds = bootMilliseconds
    }

    /// Milliseconds from `earlier` to `self`: the larger of the two clocks' answers, at least 0.
    @inlinable
    public func milliseconds(since earlier: Times) -> UInt64 {
        let wall =
            wallMilliseconds > earlier.wallMilliseconds ? wallMilliseconds &- earlier.wallMilliseconds : 0
        let boot =
            bootMilliseconds > earlier.bootMilliseconds ? bootMilliseconds &- earlier.bootMilliseconds : 0
        return max(wall, boot)
    }

    @inlinable public var wallSeconds: Int64 { Int64(truncatingIfNeeded: wallMilliseconds / 1000) }
}
