/// Request targets (RFC 9112 §3.2) and Host (RFC 9110 §7.2).
///
/// origin-form and absolute-form (http, https), `*` for OPTIONS alone. No fragment, no userinfo, and Host
/// must say what an absolute-form says, ports that are the scheme's default left aside: two answers to "which
/// host" are refused.
import Bytes

/// A host and optional port as they stand in a target or in Host.
public struct Authority: Sendable {
    /// The host within the text, an IPv6 address with its brackets.
    public let host: Range<Int>
    /// The port, if one is written: 1 to 65 535.
    public let port: UInt16?

    /// Letters, digits, `-`, `.`, `_`, `~`: what names and IPv4 addresses are made of. The other characters
    /// that RFC 3986 §3.2.2 lets a reg-name have are refused: no real host needs them.
    private static var nameBytes: ASCII.Class {
        ASCII.Class(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    }

    /// Nil unless `text` is a host with an optional port: a name or IPv4 address, or an IPv6 address in
    /// brackets, not empty; the port, if there is a colon, in 1 to 5 digits without leading zeros.
    public init?(_ text: Span<UInt8>) { self.init(text, 0..<text.count) }

    /// As `init(_:)` for a text inside a head: the bytes behind it allow whole-word loads. `host` counts from
    /// the start of the text.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ text: Range<Int>) {
        let (start, end) = (text.lowerBound, text.upperBound)
        guard start < end else { return nil }
        let hostEnd = bytes[start] == 0x5b ? Self.addressEnd(bytes, text) : Self.nameEnd(bytes, text)
        guard hostEnd > start else { return nil }
        host = 0..<(hostEnd &- start)
        guard hostEnd < end else {
            port = nil
            return
        }
        let digits = end &- hostEnd &- 1
        guard bytes[hostEnd] == 0x3a, digits <= 5, digits > 0, bytes[hostEnd &+ 1] != 0x30,
            let number = bytes.word(at: hostEnd &+ 1, length: digits).decimalValue(digits: digits),
            number <= 65_535
        else { return nil }
        port = UInt16(truncatingIfNeeded: number)
    }

    /// The index behind a name or IPv4 address at the front of `text`.
    @inline(__always)
    private static func nameEnd(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int {
        var end = min(bytes.firstNonName(from: text.lowerBound), text.upperBound)
        guard end < text.upperBound, bytes[end] != 0x3a else { return end }
        // The rarer characters, and all behind them, one by one.
        while end < text.upperBound, nameBytes.contains(bytes[end]) { end &+= 1 }
        return end
    }

    /// The index behind an IPv6 address in brackets at the front of `text`; its start if it is none.
    private static func addressEnd(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int {
        var cursor = text.lowerBound &+ 1
        var colons = 0
        while cursor < text.upperBound, bytes[cursor] != 0x5d {
            if bytes[cursor] == 0x3a {
                colons &+= 1
            } else if ASCII.hexValue(bytes[cursor]) == nil, bytes[cursor] != 0x2e {
                return text.lowerBound
            }
            cursor &+= 1
        }
        return cursor < text.upperBound && colons >= 2 ? cursor &+ 1 : text.lowerBound
    }
}

extension RequestHead {
    /// The index behind the visible bytes of a target whose first `?` or `#`, if it has one, is at `pathEnd`.
    @inline(__always)
    static func targetEnd(_ bytes: Span<UInt8>, pathEnd: Int) -> Int {
        guard pathEnd < bytes.count, bytes[pathEnd] == 0x3f || bytes[pathEnd] == 0x23 else { return pathEnd }
        return queryEnd(bytes, from: pathEnd)
    }

    private static func queryEnd(_ bytes: Span<UInt8>, from mark: Int) -> Int {
        bytes.firstNonVisible(from: mark &+ 1)
    }

    /// Splits `target`, whose bytes are known to be visible ASCII, and the first `?` or `#` of them, or else
    /// its end, to be at `pathEnd`; false if it is no permitted form.
    @inline(__always)
    mutating func parseTarget(_ bytes: Span<UInt8>, pathEnd: Int) -> Bool {
        let range = target.range
        authority = .empty
        schemeIsHTTPS = false
        var pathStart = range.lowerBound
        if bytes[pathStart] == 0x2f {
            form = .origin
        } else if range.count == 1, bytes[pathStart] == 0x2a {
            form = .asterisk
            path = .empty
            query = .empty
            hasQuery = false
            return method == .options
        } else {
            form = .absolute
            guard let end = parseSchemeAndAuthority(bytes) else { return false }
            pathStart = end
        }
        path = Slice(parsed: pathStart, count: pathEnd &- pathStart)
        hasQuery = pathEnd < range.upperBound
        guard hasQuery else {
            query = .empty
            return true
        }
        query = Slice(parsed: pathEnd &+ 1, count: range.upperBound &- pathEnd &- 1)
        return bytes.extracting(pathEnd..<range.upperBound).firstIndex(of: 0x23) == nil
    }

    /// Finds scheme and authority of an absolute-form; the index behind the authority, or nil if they are not
    /// permitted.
    private mutating func parseSchemeAndAuthority(_ bytes: Span<UInt8>) -> Int? {
        let range = target.range
        let text = bytes.extracting(range)
        let isHTTPS = text.count > 8 && text.extracting(0..<8).equalsIgnoringCase("https://")
        let isHTTP = text.count > 7 && text.extracting(0..<7).equalsIgnoringCase("http://")
        guard isHTTP || isHTTPS else { return nil }
        let start = range.lowerBound &+ (isHTTPS ? 8 : 7)
        var end = start
        // Userinfo (`@`) and all else that is no host is refused by Authority.
        while end < range.upperBound, bytes[end] != 0x2f, bytes[end] != 0x3f, bytes[end] != 0x23 { end &+= 1 }
        guard Authority(bytes, start..<end) != nil else { return nil }
        authority = Slice(start..<end)
        schemeIsHTTPS = isHTTPS
        return end
    }

    /// Host: one line, valid, the same as an absolute-form's authority; HTTP/1.0 may leave it out.
    @inline(__always)
    mutating func judgeHost(_ bytes: Span<UInt8>) -> Bool {
        guard !fields.isRepeated(.host) else { return false }
        host = .empty
        port = nil
        if form == .absolute { return judgeHostOfTarget(bytes) }
        guard let line = fields.first(.host) else { return minorVersion == 0 }
        guard let parsed = Authority(bytes, line.value.range) else { return false }
        authority = line.value
        host = Slice(parsed: Int(authority.start), count: parsed.host.count)
        port = parsed.port
        return true
    }

    /// Takes host and port of an absolute-form, and compares them with Host.
    private mutating func judgeHostOfTarget(_ bytes: Span<UInt8>) -> Bool {
        let targetText = bytes.slice(authority)
        guard let target = Authority(targetText) else { return false }
        host = Slice(start: authority.range.lowerBound, count: target.host.count)
        port = target.port
        guard let line = fields.first(.host) else { return minorVersion == 0 }
        let text = bytes.slice(line.value)
        guard let host = Authority(text) else { return false }
        let defaultPort: UInt16 = schemeIsHTTPS ? 443 : 80
        return (host.port ?? defaultPort) == (target.port ?? defaultPort)
            && text.extracting(host.host).equalsIgnoringCase(targetText.extracting(target.host))
    }
}
