internal import Bytes

/// One thread's buffers that are not in use, for what lives as long as an exchange: to allocate and free one
/// costs ten times as much.
struct SpareBuffers: ~Copyable, Sendable {
    /// A larger one is freed: few requests need so much.
    private static var largest: Int { 4096 }

    private var buffers = InlineArray<32, ByteBuffer> { _ in ByteBuffer() }
    private var count = 0

    /// Gives memory to a buffer without, for `capacity` bytes if there is none to be had here.
    @inline(__always)
    mutating func take(_ buffer: inout ByteBuffer, capacity: Int) {
        guard count > 0 else {
            buffer.reserve(max(capacity, 512))
            return
        }
        count &-= 1
        swap(&buffer, &buffers[count])
    }

    /// Keeps a buffer's memory, if there is room, and leaves it one without.
    mutating func give(_ buffer: inout ByteBuffer) {
        guard count < buffers.count, buffer.capacity <= Self.largest else { return }
        buffer.removeAll()
        swap(&buffer, &buffers[count])
        count &+= 1
    }
}
