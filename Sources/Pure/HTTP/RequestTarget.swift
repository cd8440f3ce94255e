/// Request targets (RFC 9112 §3.2) and Host (RFC 9110 §7.2).
///
/// Permitted forms: origin-form, absolute-form (http, https), and `*` for OPTIONS. A fragment and userinfo
/// are refused. If Host and an absolute-form target name different hosts, the request is refused: RFC 9112
/// §3.2.2 lets the target win, but the next recipient might choose Host.
import Bytes

extension RequestHead {
    /// The index behind the visible bytes of a target. `pathEnd` is the index of its first `?` or `#`, or its
    /// end.
    @inline(__always)
    static func targetEnd(_ bytes: Span<UInt8>, pathEnd: Int) -> Int {
        guard pathEnd < bytes.count, bytes[pathEnd] == 0x3f || bytes[pathEnd] == 0x23 else { return pathEnd }
        return queryEnd(bytes, from: pathEnd)
    }

    private static func queryEnd(_ bytes: Span<UInt8>, from mark: Int) -> Int {
        bytes.firstNonVisible(from: mark &+ 1)
    }

    /// Splits `target`, whose bytes are visible ASCII. `pathEnd` is the index of its first `?` or `#`, or its
    /// end. Returns false if the target has no permitted form.
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

    /// Finds scheme and authority of an absolute-form. Returns the index behind the authority, or nil if they
    /// are not permitted.
    private mutating func parseSchemeAndAuthority(_ bytes: Span<UInt8>) -> Int? {
        let range = target.range
        let text = bytes.extracting(range)
        let isHTTPS = text.count > 8 && text.extracting(0..<8).equalsIgnoringCase("https://")
        let isHTTP = text.count > 7 && text.extracting(0..<7).equalsIgnoringCase("http://")
        guard isHTTP || isHTTPS else { return nil }
        let start = range.lowerBound &+ (isHTTPS ? 8 : 7)
        var end = start
        // `Authority` refuses userinfo (`@`) and every other text that is not a host.
        while end < range.upperBound, bytes[end] != 0x2f, bytes[end] != 0x3f, bytes[end] != 0x23 { end &+= 1 }
        guard Authority(bytes, start..<end) != nil else { return nil }
        authority = Slice(start..<end)
        schemeIsHTTPS = isHTTPS
        return end
    }

    /// Checks Host: one line, valid, and equal to the authority of an absolute-form. In HTTP/1.0 it may be
    /// absent or empty. For `*`, which names no host, it may be empty (RFC 9112 §3.2).
    @inline(__always)
    mutating func judgeHost(_ bytes: Span<UInt8>) -> Bool {
        guard !fields.isRepeated(.host) else { return false }
        host = .empty
        port = nil
        if rewrittenHostCount > 0 { forgetRewritten() }
        if form == .absolute { return judgeHostOfTarget(bytes) }
        guard let line = fields.first(.host) else { return minorVersion == 0 }
        if line.value.isEmpty { return minorVersion == 0 || form == .asterisk }
        guard let parsed = Authority(bytes, line.value.range) else { return false }
        take(parsed, at: line.value, bytes)
        return true
    }

    private mutating func forgetRewritten() {
        rewritten.removeAll()
        rewrittenHostCount = 0
    }

    /// Takes host and port from an absolute-form target, and compares them with Host.
    private mutating func judgeHostOfTarget(_ bytes: Span<UInt8>) -> Bool {
        let slice = authority
        let targetText = bytes.slice(slice)
        guard let target = Authority(targetText) else { return false }
        take(target, at: slice, bytes)
        guard let line = fields.first(.host), !(line.value.isEmpty && minorVersion == 0) else {
            return minorVersion == 0
        }
        let text = bytes.slice(line.value)
        guard let host = Authority(text) else { return false }
        let defaultPort: UInt16 = schemeIsHTTPS ? 443 : 80
        return (host.port ?? defaultPort) == (target.port ?? defaultPort)
            && Authority.areSame(text.extracting(host.host), targetText.extracting(target.host))
    }
}
