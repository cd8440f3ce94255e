internal import CBrotli

/// br by Google's encoder. It has no way to begin again: a reset makes a new one.
extension Encoder {
    static func makeBrotli(_ level: Level) -> OpaquePointer? {
        guard let state = unsafe BrotliEncoderCreateInstance(nil, nil, nil) else { return nil }
        unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, UInt32(level.level))
        unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, UInt32(level.window))
        return unsafe state
    }

    static func freeBrotli(_ state: OpaquePointer) { unsafe BrotliEncoderDestroyInstance(state) }

    mutating func resetBrotli(_ level: Level) -> Bool {
        guard let fresh = unsafe Self.makeBrotli(level) else { return false }
        unsafe Self.freeBrotli(state)
        unsafe state = fresh
        return true
    }

    mutating func stepBrotli(
        _ input: UnsafeBufferPointer<UInt8>, _ flush: FlushMode, _ room: UnsafeMutableBufferPointer<UInt8>
    ) -> Step {
        let operation =
            switch flush {
            case .none: BROTLI_OPERATION_PROCESS
            case .flush: BROTLI_OPERATION_FLUSH
            case .finish: BROTLI_OPERATION_FINISH
            }
        var left = input.count
        var unused = room.count
        var next = input.baseAddress
        var target = room.baseAddress
        let isFine = unsafe BrotliEncoderCompressStream(
            state, operation, &left, &next, &unused, &target, nil)
        var step = Step(consumed: input.count &- left, produced: room.count &- unused, outcome: .again)
        if isFine == 0 {
            step.outcome = .failed
        } else if unsafe left == 0 && BrotliEncoderHasMoreOutput(state) == 0 {
            // All of a flush or an end is out once nothing waits: the encoder never stops half-way.
            if unsafe flush != .finish || BrotliEncoderIsFinished(state) != 0 { step.outcome = .done }
        }
        return step
    }
}
