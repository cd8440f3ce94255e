/// Decodes the chunked transfer coding (RFC 9112 §7.1) in place: a step names a run of body bytes in the
/// input.
///
///     size *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) CRLF  data CRLF  …
///     0 …  CRLF  trailer lines  CRLF
///
/// Strict: a size has one to sixteen hexadecimal digits, bare CR and bare LF are refused, and extensions must
/// follow their grammar. White space (BWS) is accepted only next to the `;` and `=` of an extension; it is
/// refused behind a size without an extension, and before CRLF. Extensions are ignored, not forwarded, and
/// limited. The decoder is a few words; it allocates memory only for trailers.
import Bytes

public struct ChunkedDecoder: ~Copyable {
    public enum Step: Equatable, Sendable {
        /// A run of body bytes, as a range of the input; never empty.
        case data(Range<Int>)
        /// All input is consumed, and the message is not complete.
        case needMore
        /// The message ends before this index of the input. Do not call the decoder again.
        case end(Int)
        /// The message is malformed, and the bytes that follow cannot be interpreted.
        case refused(BrokenRule)
    }

    /// Maximum bytes of the extensions in one size line, counted from the first byte that is not a digit,
    /// without CRLF.
    public static var extensionLineLimit: Int { 4 << 10 }
    /// Maximum bytes of all extensions of a message.
    public static var extensionLimit: Int { 16 << 10 }
    /// Maximum number of trailer lines.
    public static var trailerLineLimit: Int { 64 }

    private enum State {
        case size, extensions(Extensions), sizeLineFeed, data, dataReturn, dataLineFeed
        case trailerStart, lastLineFeed, trailerLine, ended, broken(BrokenRule)
    }

    /// The position of the next byte within the extensions of a size line.
    private enum Extensions {
        /// White space came behind the size or a value: expects `;`.
        case beforeSemicolon
        /// Behind `;`: expects white space or the name.
        case beforeName
        case name
        /// White space came behind a name: expects `=`, `;` or more white space.
        case afterName
        /// Behind `=`: expects white space or the value.
        case beforeValue
        case token
        case quoted, escaped
        /// Behind the closing quote: expects `;`, CRLF or white space.
        case afterQuoted

        /// May the line end here?
        var mayEnd: Bool {
            switch self {
            case .name, .token, .afterQuoted: true
            case .beforeSemicolon, .beforeName, .afterName, .beforeValue, .quoted, .escaped: false
            }
        }

        /// The position behind this byte; nil if the byte is not permitted here.
        func next(_ byte: UInt8) -> Extensions? {
            switch self {
            case .beforeSemicolon: byte == UInt8(ascii: ";") ? .beforeName : blank(byte)
            case .beforeName: ASCII.token.contains(byte) ? .name : blank(byte)
            case .name:
                if ASCII.token.contains(byte) { .name } else { Self.behindName(byte) }
            case .afterName: Self.behindName(byte)
            case .beforeValue:
                if byte == UInt8(ascii: "\"") {
                    .quoted
                } else {
                    ASCII.token.contains(byte) ? .token : blank(byte)
                }
            case .token: ASCII.token.contains(byte) ? .token : Self.behindValue(byte)
            case .quoted:
                switch byte {
                case UInt8(ascii: "\""): .afterQuoted
                case UInt8(ascii: "\\"): .escaped
                default: ASCII.isFieldValue(byte) ? .quoted : nil
                }
            case .escaped: ASCII.isFieldValue(byte) ? .quoted : nil
            case .afterQuoted: Self.behindValue(byte)
            }
        }

        private func blank(_ byte: UInt8) -> Extensions? { ASCII.isBlank(byte) ? self : nil }

        private static func behindName(_ byte: UInt8) -> Extensions? {
            switch byte {
            case UInt8(ascii: "="): .beforeValue
            case UInt8(ascii: ";"): .beforeName
            default: ASCII.isBlank(byte) ? .afterName : nil
            }
        }

        private static func behindValue(_ byte: UInt8) -> Extensions? {
            if byte == UInt8(ascii: ";") { return .beforeName }
            return ASCII.isBlank(byte) ? .beforeSemicolon : nil
        }
    }

    private var state = State.size
    /// In `size`: the size of the chunk so far. In `data`: the rest of the chunk.
    private var remaining: UInt64 = 0
    // Small integers, because each exchange holds two decoders.
    private var digits: UInt8 = 0
    private var trailerLines: UInt8 = 0
    private var trailerBytes: UInt16 = 0
    /// Bytes of the extensions in this line, and in all lines.
    private var lineExtensionBytes: UInt16 = 0
    private var extensionBytes: UInt16 = 0
    private let trailerLimit: UInt16
    /// The kept trailer lines; behind them, from `keptCount` on, the line that is being received.
    private var lines: [UInt8] = []
    private var keptCount: UInt16 = 0

    /// - Parameter trailerLimit: maximum bytes of the trailer section, including dropped lines; at most 65
    ///   535.
    public init(trailerLimit: Int) {
        precondition(trailerLimit >= 0 && trailerLimit <= 65_535)
        self.trailerLimit = UInt16(trailerLimit)
    }

    /// Did the message have any trailer line, including dropped ones?
    public var sawTrailers: Bool { trailerBytes > 0 }

    /// The trailer lines as received (`Name: value` CRLF), without fields that must not be trailers (RFC 9110
    /// §6.5.1).
    public var trailers: Span<UInt8> {
        @_lifetime(borrow self)
        get { lines.span.extracting(first: Int(keptCount)) }
    }

    /// The next step, starting at `offset` of the input, and the offset for the next call. Call until the
    /// step is `needMore`, `end` or `refused`. After `needMore`, call with the bytes that follow.
    public mutating func next(_ input: Span<UInt8>, from offset: Int) -> (step: Step, next: Int) {
        var index = offset
        while index < input.count {
            if case .data = state {
                let run = Int(min(remaining, UInt64(input.count &- index)))
                remaining -= UInt64(run)
                if remaining == 0 { state = .dataReturn }
                return (.data(index..<(index &+ run)), index &+ run)
            }
            if case .trailerLine = state {
                index = takeTrailerBytes(input, from: index)
            } else {
                take(input[index])
                // The first byte of a trailer line belongs to that line: take it again there.
                if case .trailerLine = state {} else { index &+= 1 }
            }
            switch state {
            case .ended: return (.end(index), index)
            case .broken(let refusal): return (.refused(refusal), index)
            default: break
            }
        }
        if case .broken(let refusal) = state { return (.refused(refusal), index) }
        return (.needMore, index)
    }

    /// Consumes one byte of framing.
    private mutating func take(_ byte: UInt8) {
        switch state {
        case .size: takeSize(byte)
        case .extensions(let place):
            if byte == FieldLine.carriageReturn, place.mayEnd {
                state = .sizeLineFeed
            } else {
                takeExtensions(byte, place)
            }
        case .sizeLineFeed:
            guard byte == FieldLine.lineFeed else { return state = .broken(.chunk) }
            state = remaining == 0 ? .trailerStart : .data
        case .dataReturn: state = byte == FieldLine.carriageReturn ? .dataLineFeed : .broken(.chunk)
        case .dataLineFeed:
            guard byte == FieldLine.lineFeed else { return state = .broken(.chunk) }
            state = .size
            digits = 0
            lineExtensionBytes = 0
        case .trailerStart: state = byte == FieldLine.carriageReturn ? .lastLineFeed : .trailerLine
        case .lastLineFeed: state = byte == FieldLine.lineFeed ? .ended : .broken(.bareLineBreak)
        case .data, .trailerLine, .ended: preconditionFailure("not a framing byte")
        case .broken: break
        }
    }

    private mutating func takeSize(_ byte: UInt8) {
        if let digit = ASCII.hexValue(byte) {
            digits &+= 1
            remaining = remaining &<< 4 | UInt64(digit)
            // Sixteen digits fill the number. A size that is negative as Int64 is refused.
            if digits > 16 || remaining > UInt64(Int64.max) { state = .broken(.chunk) }
        } else if digits == 0 {
            state = .broken(.chunk)
        } else if byte == FieldLine.carriageReturn {
            state = .sizeLineFeed
        } else {
            takeExtensions(byte, .beforeSemicolon)
        }
    }

    /// Consumes one byte of extensions that does not end the line.
    private mutating func takeExtensions(_ byte: UInt8, _ place: Extensions) {
        lineExtensionBytes &+= 1
        extensionBytes &+= 1
        guard lineExtensionBytes <= Self.extensionLineLimit, extensionBytes <= Self.extensionLimit,
            let next = place.next(byte)
        else { return state = .broken(.chunk) }
        state = .extensions(next)
    }

    /// Consumes bytes of a trailer line, up to its LF if that has arrived. Judges the line when it is
    /// complete.
    private mutating func takeTrailerBytes(_ input: Span<UInt8>, from start: Int) -> Int {
        let lineFeed = input.firstIndex(of: FieldLine.lineFeed, from: start)
        let end = lineFeed.map { $0 &+ 1 } ?? input.count
        guard end &- start <= Int(trailerLimit &- trailerBytes) else {
            state = .broken(.trailers)
            return end
        }
        trailerBytes &+= UInt16(end &- start)
        for index in start..<end { lines.append(input[index]) }
        if lineFeed != nil { state = endTrailerLine() }
        return end
    }

    private mutating func endTrailerLine() -> State {
        trailerLines &+= 1
        guard trailerLines <= Self.trailerLineLimit else { return .broken(.trailers) }
        switch FieldLine.parse(lines.span, from: Int(keptCount)) {
        case .line(let name, _, _, _):
            let id = FieldName.identify(lines.span.slice(name))
            if TrailerRules.permits(id) {
                keptCount = UInt16(lines.count)
            } else {
                lines.removeLast(lines.count &- Int(keptCount))
            }
            return .trailerStart
        case .refused(let refusal, _): return .broken(refusal)
        // The line ends in LF, so only a CR in place of that LF can leave it incomplete.
        case .incomplete: return .broken(.bareLineBreak)
        }
    }
}

enum TrailerRules {
    /// A field that a rule of Larder reads may not come as a trailer: framing, routing, authentication,
    /// caching and content fields (RFC 9110 §6.5.1). Unknown fields are permitted, and so are ETag and
    /// Cache-Status, which are defined as trailers too.
    static func permits(_ name: FieldName) -> Bool { name == .other || name == .etag || name == .cacheStatus }
}
