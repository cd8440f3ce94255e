/// One instant on both clocks that ages are measured with.
///
/// The boot clock runs while the machine sleeps and never jumps; the wall clock can be set. An age is the
/// larger of both differences. So an answer does not become younger when the wall clock is set back or the
/// boot clock stands still.
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

    /// Milliseconds from `earlier` to `self`: the larger of both clocks' differences, at least 0.
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
