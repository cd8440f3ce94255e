/// The moment at which a wait ends. One deadline can bound several waits, one after the other.
public struct Deadline: Sendable {
    private let end: UInt64

    public init(milliseconds: Int) { end = Clock.monotonicMilliseconds() + UInt64(milliseconds) }

    /// Milliseconds from now to the deadline; 0 when it has passed.
    public var remainingMilliseconds: Int {
        let now = Clock.monotonicMilliseconds()
        return now < end ? Int(end - now) : 0
    }
}
