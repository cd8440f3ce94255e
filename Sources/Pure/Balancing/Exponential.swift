/// The exponential variate of weighted rendezvous hashing, −log₂(u), computed with integers only. A library's
/// logarithm may differ in its last bit between machines, and two proxies would then send a key to different
/// servers.

enum Exponential {
    /// −log₂(h / 2⁶⁴) as a fixed-point number with 32 fractional bits: 0 for the largest hash, 64 for 1 and
    /// for 0. The error is below 2⁻²⁸, and the result is never below `lowerBound(h)`. All proxies must
    /// compute the same values: a change moves keys.
    ///
    /// With u = 2⁻ᵏ · m: log₂ m = (2 / ln 2) · artanh((m − 1) / (m + 1)). The series is short because m is
    /// taken from [¾, 1½). Near u = 1, where the winners are, the argument itself is small.
    static func cost(_ hash: UInt64) -> UInt64 {
        let one: UInt64 = 1 << 31
        let shift = hash.leadingZeroBitCount
        guard shift < 64 else { return 64 << 32 }
        // [1, 2) with 31 fractional bits, rounded up, so that the largest hash is exactly 2.
        let mantissa = (((hash << UInt64(shift)) >> 31) + 1) >> 1
        let value: UInt64
        if mantissa >= one + one / 2 {
            // m / 2 in [¾, 1]: the cost is k − log₂(m / 2).
            value =
                UInt64(shift) << 32 + twiceArtanhOverLn2((2 * one - mantissa) << 32 / (2 * one + mantissa))
        } else {
            // m in [1, 1½): the cost is k + 1 − log₂ m.
            value = UInt64(shift + 1) << 32 - twiceArtanhOverLn2((mantissa - one) << 32 / (mantissa + one))
        }
        return max(value, lowerBound(hash))
    }

    /// A cheap lower bound of `cost(h)`: −log₂ u ≥ (1 − u) / ln 2 > 1 − u.
    @inline(__always)
    static func lowerBound(_ hash: UInt64) -> UInt64 { ~hash >> 32 }

    /// (2 / ln 2) · artanh(s) for s from 0 to ⅕, both with 32 fractional bits: s + s³/3 + … + s¹¹/11.
    @inline(__always)
    private static func twiceArtanhOverLn2(_ s: UInt64) -> UInt64 {
        // 2 / ((2k + 1) · ln 2) with 32 fractional bits, rounded.
        let square = (s * s) >> 32
        var sum: UInt64 = 1_126_605_094  // k = 5
        sum = 1_376_961_782 + (sum * square) >> 32
        sum = 1_770_379_434 + (sum * square) >> 32
        sum = 2_478_531_207 + (sum * square) >> 32
        sum = 4_130_885_346 + (sum * square) >> 32
        sum = 12_392_656_037 + (sum * square) >> 32
        return (sum * s) >> 32
    }
}
