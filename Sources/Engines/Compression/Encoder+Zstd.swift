internal import CZstd

/// zstd by its streaming interface, one frame a stream, with the frame's checksum left out as browsers and
/// servers do: what carries it checks already.
extension Encoder {
    static func makeZstd(_ level: Level) -> OpaquePointer? {
        guard let state = unsafe ZSTD_createCCtx() else { return nil }
        guard unsafe setParameters(state, level) else {
            unsafe freeZstd(state)
            return nil
        }
        return unsafe state
    }

    static func freeZstd(_ state: OpaquePointer) { unsafe _ = ZSTD_freeCCtx(state) }

    private static func setParameters(_ state: OpaquePointer, _ level: Level) -> Bool {
        func set(_ parameter: ZSTD_cParameter, _ value: Int32) -> Bool {
            unsafe ZSTD_isError(ZSTD_CCtx_setParameter(state, parameter, value)) == 0
        }
        return set(ZSTD_c_compressionLevel, level.level) && set(ZSTD_c_windowLog, level.window)
            && set(ZSTD_c_hashLog, level.hash) && set(ZSTD_c_chainLog, level.chain)
    }

    /// The tables stay allocated; they are made on the first step.
    mutating func resetZstd(_ level: Level) -> Bool {
        unsafe _ = ZSTD_CCtx_reset(state, ZSTD_reset_session_only)
        return unsafe Self.setParameters(state, level)
    }

    mutating func stepZstd(
        _ input: UnsafeBufferPointer<UInt8>, _ flush: FlushMode, _ room: UnsafeMutableBufferPointer<UInt8>
    ) -> Step {
        let directive =
            switch flush {
            case .none: ZSTD_e_continue
            case .flush: ZSTD_e_flush
            case .finish: ZSTD_e_end
            }
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let pending = unsafe ZSTD_compressStream2(state, &target, &source, directive)
        var step = unsafe Step(consumed: source.pos, produced: target.pos, outcome: .again)
        if ZSTD_isError(pending) != 0 {
            step.outcome = .failed
        } else if step.consumed == input.count, flush == .none || pending == 0 {
            step.outcome = .done
        }
        return step
    }
}
