internal import Bytes

/// One thread's buffers that are not in use, for what lives as long as an exchange: to allocate and free one
/// costs ten times as much.
struct SpareBuffers: ~Copyable, Sendable {
    /// A larger one is freed: few requests need so much.
    private static var largest: Int { 4096 }

    private var buffers = InlineArray<32, ByteBuffer> { _ in ByteBuffer() }
    private var count = 0

    /// An empty buffer with room for `capacity` bytes.
    mutating func take(capacity: Int) -> ByteBuffer {
        guard count > 0 else { return ByteBuffer(capacity: max(capacity, 512)) }
        count &-= 1
        var buffer = ByteBuffer()
        swap(&buffer, &buffers[count])
        buffer.reserve(capacity)
        return buffer
    }

    /// Keeps a buffer's memory, if there is room, and leaves it one without.
    mutating func give(_ buffer: inout ByteBuffer) {
        guard count < buffers.count, buffer.capacity <= Self.largest else { return }
        buffer.removeAll()
        swap(&buffer, &buffers[count])
        count &+= 1
    }
}
