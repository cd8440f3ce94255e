internal import CZlib

/// gzip by zlib: a fixed header (no time, no name, OS 3), deflate, CRC and length. The state is a `z_stream`
/// that stands still: zlib's own state points back at it.
extension Encoder {
    /// zlib's default: about 268 KB a stream with the window of 15 bits.
    private static var memoryLevel: Int32 { 8 }

    static func makeGzip(_ level: Level) -> OpaquePointer? {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe larder_deflate_init(stream, level.level, level.window, memoryLevel) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
        return OpaquePointer(stream)
    }

    static func freeGzip(_ state: OpaquePointer) {
        // As makeGzip made it.
        let stream = unsafe UnsafeMutablePointer<z_stream>(state)
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    // Of a gzip encoder `state` is a z_stream, by init.
    private var stream: UnsafeMutablePointer<z_stream> { unsafe UnsafeMutablePointer(state) }

    mutating func resetGzip(_ level: Level) -> Bool {
        guard unsafe deflateReset(stream) == Z_OK else { return false }
        // Nothing is pending right after a reset, so that no room is needed.
        return unsafe deflateParams(stream, level.level, Z_DEFAULT_STRATEGY) == Z_OK
    }

    mutating func stepGzip(
        _ input: UnsafeBufferPointer<UInt8>, _ flush: FlushMode, _ room: UnsafeMutableBufferPointer<UInt8>
    ) -> Step {
        // zlib counts in 32 bits; it only reads through next_in, whatever its type says.
        let given = min(input.count, 1 << 30)
        let free = min(room.count, 1 << 30)
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.next_out = room.baseAddress
        unsafe stream.pointee.avail_out = UInt32(free)
        if mustLower {
            // Takes no input: what is held back is written out at the old level first.
            unsafe stream.pointee.avail_in = 0
            let result = unsafe deflateParams(
                stream, Level(.gzip, .streamLow).level, Z_DEFAULT_STRATEGY)
            mustLower = unsafe result == Z_BUF_ERROR && stream.pointee.avail_out == 0
            guard result == Z_OK || result == Z_BUF_ERROR else {
                return Step(consumed: 0, produced: 0, outcome: .failed)
            }
            if unsafe stream.pointee.avail_out == 0 {
                return Step(consumed: 0, produced: free, outcome: .again)
            }
        }
        unsafe stream.pointee.avail_in = UInt32(given)
        let isLast = given == input.count
        let mode = !isLast || flush == .none ? Z_NO_FLUSH : flush == .flush ? Z_SYNC_FLUSH : Z_FINISH
        let result = unsafe deflate(stream, mode)
        let left = unsafe Int(stream.pointee.avail_in)
        let unused = unsafe Int(stream.pointee.avail_out)
        var step = Step(consumed: given &- left, produced: free &- unused, outcome: .again)
        switch result {
        case Z_STREAM_END: step.outcome = .done
        // Z_BUF_ERROR: nothing was left to do, no failure. Room that is left tells that all is written.
        case Z_OK, Z_BUF_ERROR: if isLast, left == 0, unused > 0, mode != Z_FINISH { step.outcome = .done }
        default: step.outcome = .failed
        }
        return step
    }
}
