public import Bytes

/// Buffers of one size for what is in flight: taken when bytes arrive, given back when a connection is idle
/// again.
///
/// Keeps a bounded number of free buffers and frees the rest, so that a burst does not stay in memory.
/// The last one given is the next one taken (its pages are warm). Confined to one thread.
public struct BufferPool: ~Copyable {
    /// Free buffers that can be kept at most.
    public static var mostKept: Int { 64 }

    /// Bytes of a buffer.
    public let bufferCapacity: Int
    /// Free buffers that are kept.
    public let limit: Int
    // The first `kept` are buffers, the others nil.
    private var free = InlineArray<64, ByteBuffer?> { _ in nil }
    /// Free buffers now.
    public private(set) var kept = 0

    public init(bufferCapacity: Int = 65536, limit: Int = 32) {
        precondition(bufferCapacity > 0 && limit >= 0 && limit <= BufferPool.mostKept)
        self.bufferCapacity = bufferCapacity
        self.limit = limit
    }

    /// An empty buffer of `bufferCapacity` bytes.
    public mutating func take() -> ByteBuffer {
        if kept > 0 {
            kept -= 1
            if let buffer = free[kept].take() { return buffer }
        }
        return ByteBuffer(capacity: bufferCapacity)
    }

    /// Gives a buffer back, with whatever is in it. One that has grown is freed.
    public mutating func give(_ buffer: consuming ByteBuffer) {
        guard kept < limit, buffer.capacity == bufferCapacity else { return }
        buffer.removeAll()
        free[kept] = consume buffer
        kept += 1
    }
}
