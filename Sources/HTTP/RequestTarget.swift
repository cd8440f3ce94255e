/// Request targets (RFC 9112 §3.2) and Host (RFC 9110 §7.2).
///
/// origin-form and absolute-form (http, https), `*` for OPTIONS alone. No fragment, no userinfo, and Host
/// must say what an absolute-form says, ports that are the scheme's default left aside: two answers to "which
/// host" are refused.
public import Bytes

/// A host and optional port as they stand in a target or in Host.
public struct Authority: Sendable {
    /// The host within the text, an IPv6 address with its brackets.
    public let host: Range<Int>
    /// The port, if one is written: 1 to 65 535.
    public let port: UInt16?

    /// Letters, digits, `-`, `.`, `_`, `~`: what names and IPv4 addresses are made of. The other characters
    /// that RFC 3986 §3.2.2 lets a reg-name have are refused: no real host needs them.
    @usableFromInline static var nameBytes: ASCII.Class {
        ASCII.Class(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    }

    /// Nil unless `text` is a host with an optional port: a name or IPv4 address, or an IPv6 address in
    /// brackets, not empty; the port, if there is a colon, in 1 to 5 digits without leading zeros.
    @inlinable
    public init?(_ text: Span<UInt8>) {
        var cursor = 0
        if text.count > 0, text[0] == 0x5b {
            var colons = 0
            cursor = 1
            while cursor < text.count, text[cursor] != 0x5d {
                if text[cursor] == 0x3a {
                    colons &+= 1
                } else if ASCII.hexValue(text[cursor]) == nil, text[cursor] != 0x2e {
                    return nil
                }
                cursor &+= 1
            }
            guard cursor < text.count, colons >= 2 else { return nil }
            cursor &+= 1
        } else {
            while cursor < text.count, Self.nameBytes.contains(text[cursor]) { cursor &+= 1 }
        }
        guard cursor > 0 else { return nil }
        host = 0..<cursor
        guard cursor < text.count else {
            port = nil
            return
        }
        let digits = text.extracting((cursor &+ 1)..<text.count)
        guard text[cursor] == 0x3a, digits.count <= 5, digits.count > 0, digits[0] != 0x30,
            let number = digits.decimalSaturating(), number <= 65_535
        else { return nil }
        port = UInt16(number)
    }
}

extension RequestHead {
    /// Splits `target`, whose bytes are known to be visible ASCII; false if it is no permitted form.
    mutating func parseTarget(_ bytes: Span<UInt8>) -> Bool {
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
        let rest = bytes.extracting(0..<range.upperBound)
        guard rest.firstIndex(of: 0x23, from: pathStart) == nil else { return false }
        let question = rest.firstIndex(of: 0x3f, from: pathStart)
        hasQuery = question != nil
        path = Slice(pathStart..<(question ?? range.upperBound))
        query = question.map { Slice(($0 &+ 1)..<range.upperBound) } ?? .empty
        return true
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
        guard Authority(bytes.extracting(start..<end)) != nil else { return nil }
        authority = Slice(start..<end)
        schemeIsHTTPS = isHTTPS
        return end
    }

    /// Host: one line, valid, the same as an absolute-form's authority; HTTP/1.0 may leave it out.
    mutating func judgeHost(_ bytes: Span<UInt8>) -> Bool {
        guard !fields.isRepeated(.host) else { return false }
        host = .empty
        port = nil
        guard form == .absolute else {
            guard let line = fields.first(.host) else { return minorVersion == 0 }
            guard let parsed = Authority(bytes.slice(line.value)) else { return false }
            authority = line.value
            host = Slice(start: line.value.range.lowerBound, count: parsed.host.count)
            port = parsed.port
            return true
        }
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
