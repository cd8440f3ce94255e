/// Names a slot of a `SlotTable` as of one use of it: an integer that goes through epoll, timers and
/// mailboxes, and that is recognised as stale once the slot has been emptied.
///
///     63      56 55          32 31            0
///     |  kind   |  generation  |    index     |
@frozen
public struct Handle: Hashable, Sendable, BitwiseCopyable {
    /// All of it as one word: what the poller is given.
    public let token: UInt64

    @inlinable
    public init(token: UInt64) { self.token = token }

    @inlinable
    init(index: UInt32, generation: UInt32, kind: UInt8) {
        token = UInt64(kind) << 56 | UInt64(generation & Handle.generationMask) << 32 | UInt64(index)
    }

    /// A handle for what has no table (a listener, a doorbell): never valid in a table of another kind.
    @inlinable
    public static func named(kind: UInt8, index: UInt32 = 0) -> Handle {
        Handle(index: index, generation: 0, kind: kind)
    }

    /// No slot: valid in no table. Its kind, 255, is reserved for it.
    @inlinable public static var none: Handle { Handle(token: .max) }

    /// The slot's number: small and dense, fit for arrays and for `TimerWheel`.
    @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: token) }
    /// How often the slot had been emptied, modulo 2²⁴.
    @inlinable
    public var generation: UInt32 { UInt32(truncatingIfNeeded: token >> 32) & Handle.generationMask }
    /// What the table holds; chosen by its owner.
    @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: token >> 56) }

    @inlinable static var generationMask: UInt32 { 0xff_ffff }
}

extension Handle: CustomStringConvertible {
    public var description: String { "\(kind):\(index)#\(generation)" }
}
