/// The idle connections of one thread to one server. It is a stack, so the busiest connections stay in use
/// and surplus ones grow old. Pure: it holds tokens. Its owner holds the sockets and closes them.
public struct OriginPool: Sendable {
    @usableFromInline var idle: [UInt64] = []
    /// Maximum number of idle connections.
    public let limit: Int

    public init(limit: Int) {
        self.limit = limit
        idle.reserveCapacity(min(limit, 64))
    }

    public var count: Int { idle.count }

    /// Takes the connection that became idle last.
    @inlinable
    public mutating func take() -> UInt64? { idle.popLast() }

    /// Adds a connection that finished an answer cleanly. Returns the token of a connection to close: the
    /// oldest one if the pool is full, or the given one if the pool may hold none.
    @inlinable @inline(__always)
    public mutating func put(_ token: UInt64) -> UInt64? {
        guard limit > 0 else { return token }
        var surplus: UInt64?
        if idle.count >= limit { surplus = idle.removeFirst() }
        idle.append(token)
        return surplus
    }

    /// Takes the connection that has been idle longest.
    public mutating func takeOldest() -> UInt64? { idle.isEmpty ? nil : idle.removeFirst() }

    /// Removes a connection that closed, timed out, or sent bytes without a request.
    public mutating func remove(_ token: UInt64) {
        if let index = idle.lastIndex(of: token) { idle.remove(at: index) }
    }
}
