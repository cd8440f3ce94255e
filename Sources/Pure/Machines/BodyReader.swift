public import Bytes
public import HTTP

/// Finds the end of a message body in the bytes that follow a head, whatever the framing (RFC 9112 §6.3).
///
/// The bytes stay where they are: each step names a range of the input. `closed()` tells what the sender's
/// close means at this point.
public struct BodyReader: ~Copyable {
    @usableFromInline
    enum Mode {
        case length(UInt64)
        case chunked
        case untilClose
        case complete
    }

    public enum Step: Equatable {
        /// A run of body bytes: indices of the input.
        case data(Range<Int>)
        /// The input is used up.
        case needMore
        /// The message ended before this index; what follows belongs to the next one.
        case end(Int)
        case refused(Refusal)
    }

    @usableFromInline var mode: Mode
    /// Of a chunked body.
    @usableFromInline var decoder: Optional<ChunkedDecoder>

    /// Body bytes delivered so far.
    @inlinable public var delivered: UInt64 { total }
    @usableFromInline var total: UInt64

    /// - Parameter trailerLimit: the most bytes of trailers.
    @inlinable
    public init(_ framing: BodyFraming, trailerLimit: Int) {
        decoder = nil
        total = 0
        switch framing {
        case .none: mode = .complete
        case .length(let length): mode = length == 0 ? .complete : .length(length)
        case .chunked:
            mode = .chunked
            decoder = ChunkedDecoder(trailerLimit: trailerLimit)
        case .untilClose: mode = .untilClose
        }
    }

    /// Has the whole body come?
    @inlinable
    public var isComplete: Bool {
        if case .complete = mode { return true }
        return false
    }

    /// Do runs of the body come with chunk framing between them?
    @inlinable
    public var isChunked: Bool {
        if case .chunked = mode { return true }
        return false
    }

    /// Does the sender's clean close complete the body? Completes it if so.
    public mutating func closed() -> Bool {
        switch mode {
        case .untilClose, .complete:
            mode = .complete
            return true
        case .length, .chunked: return false
        }
    }

    /// The validated trailer lines of a chunked body that has ended, raw.
    public var trailers: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            switch decoder {
            case .some(let decoder): decoder.trailers
            case .none: Span()
            }
        }
    }

    public var sawTrailers: Bool {
        switch decoder {
        case .some(let decoder): decoder.sawTrailers
        case .none: false
        }
    }

    /// The next run of body bytes in `input` at or after `offset`.
    /// Returns the step and the index up to which the input is used up.
    public mutating func next(_ input: borrowing ByteBuffer, from offset: Int) -> (Step, Int) {
        next(input.span, from: offset)
    }

    /// As above, over borrowed bytes.
    public mutating func next(_ input: Span<UInt8>, from offset: Int) -> (Step, Int) {
        switch mode {
        case .complete: return (.end(offset), offset)
        case .untilClose:
            guard offset < input.count else { return (.needMore, offset) }
            total += UInt64(input.count - offset)
            return (.data(offset..<input.count), input.count)
        case .length(let rest):
            let n = Int(min(rest, UInt64(input.count - offset)))
            guard n > 0 else { return (.needMore, offset) }
            total += UInt64(n)
            mode = rest == UInt64(n) ? .complete : .length(rest - UInt64(n))
            return (.data(offset..<(offset + n)), offset + n)
        case .chunked:
            guard let (step, next) = decoder?.next(input, from: offset) else {
                preconditionFailure("a chunked body without its decoder")
            }
            switch step {
            case .data(let range):
                total += UInt64(range.count)
                return (.data(range), next)
            case .needMore: return (.needMore, next)
            case .end(let end):
                mode = .complete
                return (.end(end), end)
            case .refused(let refusal): return (.refused(refusal), next)
            }
        }
    }
}
