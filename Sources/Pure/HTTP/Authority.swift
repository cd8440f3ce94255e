/// A host and an optional port (RFC 3986 §3.2.2 and §3.2.3), as they occur in a target, in Host, or in a URL
/// of the configuration. The normal form is the same for all spellings of one host:
///
///     name              lower case, without the dot that ends a fully qualified name
///     IPv4 address      unchanged
///     IPv6 address      in brackets, as RFC 5952 writes it
///     port              omitted if it is empty or the scheme's default
///
/// Routes, the cache key (and with it the balancer) and the access log use the normal form. The origin gets
/// it if the answer may be stored.
public import Bytes

public struct Authority: Sendable {
    /// The range of the host within the text, without a final dot, including the brackets of an IPv6 address.
    public let host: Range<Int>
    /// The port, if one is written: 1 to 65 535.
    public let port: UInt16?
    /// Does the normal form differ from the text in more than the case of letters?
    let isRewritten: Bool

    /// Letters, digits, `-`, `.`, `_`, `~`: the bytes of names and IPv4 addresses. The other characters of a
    /// reg-name (RFC 3986 §3.2.2), percent-encoding included, are refused: real hosts do not need them.
    private static var nameBytes: ASCII.Class {
        ASCII.Class(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    }

    /// Nil unless `text` is a host with an optional port. A host is an IPv4 address, an IPv6 address in
    /// brackets, or a name without empty labels, which may end in one dot. A port is a colon and at most 5
    /// digits without leading zeros; no digits count as no port.
    public init?(_ text: Span<UInt8>) { self.init(text, 0..<text.count) }

    /// As `init(_:)`, for a text inside a head, where whole-word loads are possible. `host` counts from the
    /// start of the text.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ text: Range<Int>) {
        let (start, end) = (text.lowerBound, text.upperBound)
        guard start < end else { return nil }
        let isAddress = bytes[start] == UInt8(ascii: "[")
        let hostEnd = isAddress ? Self.addressEnd(bytes, text) : Self.nameEnd(bytes, text)
        guard hostEnd > start else { return nil }
        let endsInDot = !isAddress && bytes[hostEnd &- 1] == UInt8(ascii: ".")
        let count = endsInDot ? hostEnd &- start &- 1 : hostEnd &- start
        guard isAddress || Self.hasOnlyLabels(bytes, start..<(start &+ count)) else { return nil }
        host = 0..<count
        var port: UInt16?
        if hostEnd < end {
            let digits = end &- hostEnd &- 1
            guard bytes[hostEnd] == UInt8(ascii: ":"), digits <= 5 else { return nil }
            if digits > 0 {
                guard bytes[hostEnd &+ 1] != UInt8(ascii: "0"),
                    let number = bytes.word(at: hostEnd &+ 1, length: digits).decimalValue(digits: digits),
                    number <= 65_535
                else { return nil }
                port = UInt16(truncatingIfNeeded: number)
            }
        }
        self.port = port
        isRewritten = isAddress || endsInDot && port != nil
    }

    /// The index behind a name or IPv4 address at the front of `text`.
    @inline(__always)
    private static func nameEnd(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int {
        var end = min(bytes.firstNonName(from: text.lowerBound), text.upperBound)
        guard end < text.upperBound, bytes[end] != UInt8(ascii: ":") else { return end }
        // Rarer characters, and all bytes behind them, are tested one by one.
        while end < text.upperBound, nameBytes.contains(bytes[end]) { end &+= 1 }
        return end
    }

    /// Is this a non-empty name without a dot at either end and without two dots in a row?
    @inline(__always)
    private static func hasOnlyLabels(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        var isAtLabelStart = true
        for index in name {
            let isDot = bytes[index] == UInt8(ascii: ".")
            if isDot, isAtLabelStart { return false }
            isAtLabelStart = isDot
        }
        return !isAtLabelStart
    }

    /// The index behind an IPv6 address in brackets at the front of `text`, or the start of `text` if there
    /// is none.
    private static func addressEnd(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int {
        let start = text.lowerBound
        let whole = bytes.extracting(text)
        guard let end = whole.firstIndex(of: UInt8(ascii: "]")),
            IPText.ipv6(whole.extracting(1..<end)) != nil
        else { return start }
        return start &+ end &+ 1
    }
}

extension Authority {
    /// Appends the host in its normal form. `text` is the text that this value was parsed from.
    public func appendHost(of text: Span<UInt8>, to output: inout ByteBuffer) {
        let name = text.extracting(host)
        if name[0] == UInt8(ascii: "["),
            let (high, low) = IPText.ipv6(name.extracting(1..<(name.count &- 1)))
        {
            output.append(UInt8(ascii: "["))
            IPText.append(ipv6: high, low, to: &output)
            output.append(UInt8(ascii: "]"))
        } else {
            output.append(lowercasing: name)
        }
    }

    /// Appends a colon and the port, or nothing if the normal form omits the port.
    public func appendPort(unless defaultPort: UInt16?, to output: inout ByteBuffer) {
        guard let port, port != defaultPort else { return }
        output.append(UInt8(ascii: ":"))
        output.append(decimal: UInt64(port))
    }

    /// Are these two hosts (the text in range `host`) the same host?
    public static func areSame(_ host: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        if host.equalsIgnoringCase(other) { return true }
        guard !host.isEmpty, !other.isEmpty, host[0] == UInt8(ascii: "["), other[0] == UInt8(ascii: "["),
            let one = IPText.ipv6(host.extracting(1..<(host.count &- 1))),
            let two = IPText.ipv6(other.extracting(1..<(other.count &- 1)))
        else { return false }
        return one == two
    }
}

extension RequestHead {
    /// The host in its normal form except for its case; empty if there is no host.
    @_lifetime(borrow self, copy bytes)
    @inlinable @inline(__always)
    public func host(in bytes: Span<UInt8>) -> Span<UInt8> {
        rewrittenHostCount == 0 ? bytes.slice(host) : rewritten.span.extracting(first: rewrittenHostCount)
    }

    /// Host and port in their normal form except for the case; empty if there is no host.
    @_lifetime(borrow self, copy bytes)
    @inlinable @inline(__always)
    public func authority(in bytes: Span<UInt8>, defaultPort: UInt16) -> Span<UInt8> {
        guard let port, port != defaultPort else { return host(in: bytes) }
        return rewrittenHostCount == 0 ? bytes.slice(authority) : rewritten.span
    }

    /// Sets authority, host and port from the authority at `slice`.
    @inline(__always)
    mutating func take(_ parsed: Authority, at slice: Slice, _ bytes: Span<UInt8>) {
        authority = slice
        host = Slice(parsed: Int(slice.start), count: parsed.host.count)
        port = parsed.port
        if parsed.isRewritten { rewrite(parsed, bytes.slice(slice)) }
    }

    private mutating func rewrite(_ parsed: Authority, _ text: Span<UInt8>) {
        parsed.appendHost(of: text, to: &rewritten)
        rewrittenHostCount = rewritten.count
        parsed.appendPort(unless: nil, to: &rewritten)
    }
}
