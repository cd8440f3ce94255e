/// The idle connections to one server, owned by one thread: a stack, so that the busiest connections stay
/// warm and the surplus ages out. Pure: it holds tokens, its owner holds the sockets and does what the
/// answers say.
public struct OriginPool: Sendable {
    @usableFromInline var idle: [UInt64] = []
    /// The most idle connections kept.
    public let limit: Int

    public init(limit: Int) {
        self.limit = limit
        idle.reserveCapacity(min(limit, 64))
    }

    public var count: Int { idle.count }

    /// The connection that became idle last.
    @inlinable
    public mutating func take() -> UInt64? { idle.popLast() }

    /// Keeps a connection that finished its answer cleanly. Returns the token to close: the oldest one where
    /// the pool is full, the given one where nothing may be kept.
    @inlinable @inline(__always)
    public mutating func put(_ token: UInt64) -> UInt64? {
        guard limit > 0 else { return token }
        var surplus: UInt64?
        if idle.count >= limit { surplus = idle.removeFirst() }
        idle.append(token)
        return surplus
    }

    /// The connection that has been idle longest.
    public mutating func takeOldest() -> UInt64? { idle.isEmpty ? nil : idle.removeFirst() }

    /// Forgets a connection that closed, timed out or said something unasked.
    public mutating func remove(_ token: UInt64) {
        if let index = idle.lastIndex(of: token) { idle.remove(at: index) }
    }
}
