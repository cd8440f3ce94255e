/// A set of servers of one upstream, by index: 256 bits, stored inline.
public struct ServerSet: Sendable, Equatable {
    /// Indices run from 0 to `capacity - 1`.
    public static var capacity: Int { 256 }

    @usableFromInline var words: InlineArray<4, UInt64>

    @inlinable
    public init() { words = InlineArray(repeating: 0) }

    public init(_ servers: some Sequence<Int>) {
        self.init()
        for server in servers { insert(server) }
    }

    @inlinable
    public func contains(_ server: Int) -> Bool { words[server >> 6] & bit(server) != 0 }

    @inlinable
    public mutating func insert(_ server: Int) { words[server >> 6] |= bit(server) }

    @inlinable
    public mutating func remove(_ server: Int) { words[server >> 6] &= ~bit(server) }

    @inlinable
    public mutating func removeAll() { words = InlineArray(repeating: 0) }

    @inlinable
    public var isEmpty: Bool {
        @inline(__always) get { words[0] | words[1] | words[2] | words[3] == 0 }
    }

    @inlinable
    public var count: Int {
        words[0].nonzeroBitCount + words[1].nonzeroBitCount + words[2].nonzeroBitCount
            + words[3].nonzeroBitCount
    }

    @inlinable
    public func union(_ other: ServerSet) -> ServerSet {
        var all = self
        for index in 0..<4 { all.words[index] |= other.words[index] }
        return all
    }

    @inlinable
    public func isSubset(of other: ServerSet) -> Bool {
        for index in 0..<4 where words[index] & ~other.words[index] != 0 { return false }
        return true
    }

    @usableFromInline
    func bit(_ server: Int) -> UInt64 { 1 << UInt64(server & 63) }

    @inlinable
    public static func == (a: ServerSet, b: ServerSet) -> Bool {
        for index in 0..<4 where a.words[index] != b.words[index] { return false }
        return true
    }
}
