/// Names what an event concerns: an integer that goes through epoll and mailboxes. `Handle` is the same for a
/// slot of a table.
///
///     63      56 55          32 31            0
///     |  kind   |  generation  |    index     |
@frozen
public struct Token: Hashable, Sendable, BitwiseCopyable {
    /// All of it as one word: what the poller is given.
    public let word: UInt64

    @inlinable
    public init(_ word: UInt64) { self.word = word }

    @inlinable
    init(index: UInt32, generation: UInt32, kind: UInt8) {
        word = UInt64(kind) << 56 | UInt64(generation & Token.generationMask) << 32 | UInt64(index)
    }

    /// Names something that has no table, for instance a listener or a doorbell.
    @inlinable
    public init(kind: UInt8, index: UInt32 = 0) { self.init(index: index, generation: 0, kind: kind) }

    /// The slot's number: small and dense, fit for arrays and for `TimerWheel`.
    @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: word) }
    /// How often the slot had been emptied, modulo 2²⁴.
    @inlinable
    public var generation: UInt32 { UInt32(truncatingIfNeeded: word >> 32) & Token.generationMask }
    /// What the table holds; chosen by its owner.
    @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: word >> 56) }

    @inlinable static var generationMask: UInt32 { 0xff_ffff }
}

extension Token: CustomStringConvertible {
    public var description: String { "\(kind):\(index)#\(generation)" }
}

/// Names an element of a `SlotTable<Element>`, and no later element in the same slot: the table recognises a
/// handle whose element is gone. The type keeps handles of different tables apart.
@frozen
public struct Handle<Element: ~Copyable>: Hashable, Sendable, BitwiseCopyable {
    /// The handle as one word (`Token`).
    public let token: UInt64

    /// - Parameter token: of a handle to an element of this type, or anything else: then it is stale.
    @inlinable
    public init(token: UInt64) { self.token = token }

    @inlinable
    init(_ token: Token) { self.token = token.word }

    /// Names no element, in any table. Its kind, 255, is reserved.
    @inlinable public static var none: Handle { Handle(token: .max) }

    @inlinable var index: UInt32 { UInt32(truncatingIfNeeded: token) }
    /// The slot's number: small and dense, fit for arrays and for `TimerWheel`.
    @inlinable public var slot: Int { Int(index) }
}

extension Handle: CustomStringConvertible where Element: ~Copyable {
    public var description: String { Token(token).description }
}
