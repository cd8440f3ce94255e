internal import CKernel

/// The kernel's clocks. Reading one allocates nothing and does not enter the kernel (vDSO): about 25 ns,
/// the coarse forms 7 ns. Coarse clocks lag the precise ones by up to a tick (1 to 10 ms) and never lead.
public enum Clock {
    /// Milliseconds since some moment in the past; never goes back; stands still while the machine sleeps.
    public static func monotonicMilliseconds() -> UInt64 {
        larder_clock_milliseconds(CInt(LARDER_MONOTONIC))
    }

    public static func monotonicMicroseconds() -> UInt64 {
        larder_clock_microseconds(CInt(LARDER_MONOTONIC))
    }

    public static func coarseMonotonicMilliseconds() -> UInt64 {
        larder_clock_milliseconds(CInt(LARDER_MONOTONIC_COARSE))
    }

    /// Unix time in milliseconds; jumps when the clock is set.
    public static func wallMilliseconds() -> UInt64 { larder_clock_milliseconds(CInt(LARDER_WALL)) }

    public static func wallMicroseconds() -> UInt64 { larder_clock_microseconds(CInt(LARDER_WALL)) }

    public static func coarseWallMilliseconds() -> UInt64 {
        larder_clock_milliseconds(CInt(LARDER_WALL_COARSE))
    }

    /// Milliseconds since boot, sleep included (CLOCK_BOOTTIME; it has no coarse form): the age of stored
    /// answers.
    public static func bootMilliseconds() -> UInt64 { larder_clock_milliseconds(CInt(LARDER_BOOT)) }

    public static func bootMicroseconds() -> UInt64 { larder_clock_microseconds(CInt(LARDER_BOOT)) }
}
