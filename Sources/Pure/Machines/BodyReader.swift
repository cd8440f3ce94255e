public import Bytes
public import HTTP

/// Finds the end of a message body in the bytes that follow a head, for every framing (RFC 9112 §6.3).
///
/// The bytes stay in place: each step names a range of the input. `closed()` decides what it means if the
/// sender closes the connection.
public struct BodyReader: ~Copyable {
    @usableFromInline
    enum Mode {
        case length(UInt64)
        case chunked
        case untilClose
        case complete
    }

    public enum Step: Equatable {
        /// A run of body bytes, as a range of the input.
        case data(Range<Int>)
        /// All input is consumed.
        case needMore
        /// The message ends before this index. The bytes behind it belong to the next message.
        case end(Int)
        case refused(BrokenRule)
    }

    @usableFromInline var mode: Mode
    /// For a chunked body only.
    @usableFromInline var decoder: Optional<ChunkedDecoder>

    /// The number of body bytes delivered so far.
    @inlinable public var delivered: UInt64 { total }
    @usableFromInline var total: UInt64

    /// - Parameter trailerLimit: maximum bytes of the trailer section.
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

    /// Has the whole body arrived?
    @inlinable
    public var isComplete: Bool {
        if case .complete = mode { return true }
        return false
    }

    /// Is the body framed in chunks?
    @inlinable
    public var isChunked: Bool {
        if case .chunked = mode { return true }
        return false
    }

    /// Records that the sender closed the connection cleanly. Returns whether the body is complete.
    public mutating func closed() -> Bool {
        switch mode {
        case .untilClose, .complete:
            mode = .complete
            return true
        case .length, .chunked: return false
        }
    }

    /// The validated trailer lines of a chunked body that has ended, in their received form.
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

    /// The next run of body bytes in `input`, at or after `offset`. Returns the step and the index up to
    /// which the input is consumed.
    public mutating func next(_ input: borrowing ByteBuffer, from offset: Int) -> (Step, Int) {
        next(input.span, from: offset)
    }

    /// As `next(_:from:)`, for borrowed bytes.
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
