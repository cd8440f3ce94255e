public import Bytes

/// One compressed stream, bytes in and bytes out, straight into the spare room of a `ByteBuffer`.
///
///     init ─▶ encode(…, .none | .flush)* ─▶ encode(…, .finish) ─▶ reset ─▶ …
///
/// What the library holds is bounded by the effort, whatever the length of the stream; docs/compression.md
/// has the measured figures. `Encoder+Gzip`, `+Brotli` and `+Zstd` are the three libraries' sides: each runs
/// one step from a run of input into a run of output and says how far it came.
@safe
public struct Encoder: ~Copyable, Sendable {
    public let coding: ContentCoding
    /// The library's own state, allocated by it and owned by self: z_stream, BrotliEncoderState or ZSTD_CCtx.
    nonisolated(unsafe) var state: OpaquePointer
    /// A `lower()` that the next step carries out: it may need room for output.
    var mustLower = false
    /// Ended, or broken by a failure: only `reset` makes it good again.
    private var isSpent = false

    /// nil: no memory.
    public init?(_ coding: ContentCoding, _ effort: Effort) {
        self.init(coding, Level(coding, effort))
    }

    /// With parameters other than an effort's: for measuring.
    package init?(_ coding: ContentCoding, _ level: Level) {
        let made: OpaquePointer? =
            switch coding {
            case .gzip: unsafe Self.makeGzip(level)
            case .br: unsafe Self.makeBrotli(level)
            case .zstd: unsafe Self.makeZstd(level)
            }
        guard let made = unsafe made else { return nil }
        self.coding = coding
        unsafe state = made
    }

    deinit {
        // The state is of this coding's type, and self was its only owner.
        switch coding {
        case .gzip: unsafe Self.freeGzip(state)
        case .br: unsafe Self.freeBrotli(state)
        case .zstd: unsafe Self.freeZstd(state)
        }
    }

    /// Forgets the stream, finished or not, and begins another. Cheaper than a new encoder but for br, whose
    /// library can only be made anew.
    ///
    /// - Returns: false where memory ran out; the encoder then encodes nothing until a later reset succeeds.
    public mutating func reset(_ effort: Effort) -> Bool {
        let level = Level(coding, effort)
        mustLower = false
        let done =
            switch coding {
            case .gzip: resetGzip(level)
            case .br: resetBrotli(level)
            case .zstd: resetZstd(level)
            }
        isSpent = !done
        return done
    }

    /// Cheaper from here on. Only gzip can in mid-stream (`deflateParams`); br and zstd streams keep their
    /// level until they end.
    public mutating func lower() {
        if coding == .gzip { mustLower = true }
    }

    /// Appends to `output` what the library gives for all of `input`. Empty input is fine; with `.finish` it
    /// ends the stream, an empty one too.
    ///
    /// - Returns: false if the library failed, or the stream has ended already. What is in `output` then must
    ///   not be sent as if it were whole.
    public mutating func encode(
        _ input: borrowing Span<UInt8>, _ flush: FlushMode, into output: inout ByteBuffer
    ) -> Bool {
        guard !isSpent else { return false }
        // The input is borrowed for the whole of the closure, and read only inside it.
        let done = unsafe input.withUnsafeBufferPointer { unsafe run($0, flush, into: &output) }
        isSpent = !done || flush == .finish
        return done
    }

    private mutating func run(
        _ input: UnsafeBufferPointer<UInt8>, _ flush: FlushMode, into output: inout ByteBuffer
    ) -> Bool {
        var consumed = 0
        while true {
            let rest = unsafe UnsafeBufferPointer(rebasing: input[consumed...])
            let step = output.append(capacity: Self.room(in: output, for: rest.count)) { spare in
                unsafe spare.withUnsafeMutableBufferPointer { room, written in
                    let step = unsafe self.step(rest, flush, room)
                    // The library wrote `produced` bytes from the front of the room.
                    written = step.produced
                    return step
                }
            }
            consumed &+= step.consumed
            switch step.outcome {
            case .done: return consumed == input.count
            case .failed: return false
            case .again:
                // A library that moves nothing will not move later either.
                guard step.consumed > 0 || step.produced > 0 else { return false }
            }
        }
    }

    /// What a buffer has to spare if that is worth a call, else about what `count` bytes of text shrink to.
    private static func room(in output: borrowing ByteBuffer, for count: Int) -> Int {
        output.spareCount >= 256 ? output.spareCount : min(max(count / 2, 512), 16 * 1024)
    }

    /// How far one call of a library came.
    struct Step: BitwiseCopyable {
        enum Outcome: BitwiseCopyable { case again, done, failed }

        var consumed: Int
        var produced: Int
        var outcome: Outcome
    }

    private mutating func step(
        _ input: UnsafeBufferPointer<UInt8>, _ flush: FlushMode, _ room: UnsafeMutableBufferPointer<UInt8>
    ) -> Step {
        switch coding {
        case .gzip: unsafe stepGzip(input, flush, room)
        case .br: unsafe stepBrotli(input, flush, room)
        case .zstd: unsafe stepZstd(input, flush, room)
        }
    }
}
