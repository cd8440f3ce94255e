public import Bytes
internal import CZlib

/// Decodes gzip: one member or several, headers and checksums checked (RFC 1952). About 40 KB a stream.
///
/// For the rare client that cannot take what is stored, so it is bounded, not fast: each call produces as
/// much as it is asked for and no more, however small the input that makes it.
@safe
public struct Decoder: ~Copyable, Sendable {
    // Owned, and standing still: zlib's own state points back at it.
    private nonisolated(unsafe) let stream: UnsafeMutablePointer<z_stream>
    private var phase = Phase.between
    /// A member has ended, so that between members the body is whole.
    private var hasEnded = false

    private enum Phase: BitwiseCopyable {
        /// Before a member's first byte.
        case between
        case inside
        case broken
    }

    public enum Step: Sendable, BitwiseCopyable {
        /// All input is used up in the midst of a member (or before the first).
        case needMore
        /// All input is used up and a member is whole. It was the last one, if no more input comes: bytes
        /// behind it are either a further member or malformed.
        case end
        /// Not gzip, damaged, or followed by what is not gzip. Stays so until `reset`.
        case malformed
        /// As many bytes as `limit` allows were produced and there may be more: call again, with what is left
        /// of the input, even if that is nothing.
        case full
    }

    /// nil: no memory.
    public init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // A window of 15 bits: gzip may use any up to that.
        guard unsafe larder_inflate_init(stream, 15) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
        unsafe self.stream = unsafe stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Forgets the stream and begins another.
    public mutating func reset() {
        // Fails only for a stream that was never made.
        unsafe inflateReset(stream)
        phase = .between
        hasEnded = false
    }

    /// Appends to `output` what `input` from `offset` on decodes to, `limit` bytes at most; moves `offset`
    /// behind what was used.
    public mutating func decode(
        _ input: borrowing Span<UInt8>, from offset: inout Int, into output: inout ByteBuffer,
        atMost limit: Int
    ) -> Step {
        precondition(offset >= 0 && offset <= input.count && limit >= 0)
        // The input is borrowed for the whole of the closure, and read only inside it.
        return unsafe input.withUnsafeBufferPointer {
            unsafe run($0, &offset, into: &output, atMost: limit)
        }
    }

    private mutating func run(
        _ input: UnsafeBufferPointer<UInt8>, _ offset: inout Int, into output: inout ByteBuffer,
        atMost limit: Int
    ) -> Step {
        guard phase != .broken else { return .malformed }
        var left = limit
        while true {
            if phase == .between, offset == input.count { return hasEnded ? .end : .needMore }
            if left == 0 { return .full }
            phase = .inside
            let rest = unsafe UnsafeBufferPointer(rebasing: input[offset...])
            let room = min(left, output.spareCount >= 512 ? output.spareCount : 16 * 1024)
            let before = output.count
            let (result, used) = output.append(capacity: room) { spare in
                unsafe spare.withUnsafeMutableBufferPointer { unsafe inflateOnce(rest, $0, &$1) }
            }
            let produced = output.count &- before
            left &-= produced
            offset &+= used
            switch result {
            case Z_STREAM_END:
                hasEnded = true
                phase = .between
                unsafe inflateReset(stream)
            case Z_OK, Z_BUF_ERROR:
                // Room that is left tells that nothing is held back.
                if produced < room, offset == input.count { return .needMore }
                if result == Z_BUF_ERROR, produced == 0, used == 0 { return fail() }
            default: return fail()
            }
        }
    }

    private mutating func fail() -> Step {
        phase = .broken
        return .malformed
    }

    /// zlib's verdict, and how much of `input` it used; `written` becomes what it wrote to `room`.
    private func inflateOnce(
        _ input: UnsafeBufferPointer<UInt8>, _ room: UnsafeMutableBufferPointer<UInt8>, _ written: inout Int
    ) -> (Int32, Int) {
        // zlib counts in 32 bits; it only reads through next_in, whatever its type says.
        let given = min(input.count, 1 << 30)
        let free = min(room.count, 1 << 30)
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(given)
        unsafe stream.pointee.next_out = room.baseAddress
        unsafe stream.pointee.avail_out = UInt32(free)
        let result = unsafe inflate(stream, Z_NO_FLUSH)
        written = unsafe free &- Int(stream.pointee.avail_out)
        return unsafe (result, given &- Int(stream.pointee.avail_in))
    }
}
