import Bytes

/// From a request's raw path to a name below the root. Pure text: what the name leads to is the kernel's to
/// say, which lets nothing lead out of the root (`Kernel.Directory`).
enum FilePath {
    enum Result: Equatable {
        /// `path` holds the relative name and its NUL. `isFolder`: the request ended in a slash, and the name
        /// in `index.html`.
        case name(isFolder: Bool)
        /// No file can have this name, or it is not to be shown: hidden names, a path that climbs above the
        /// root, empty segments.
        case hidden
        /// Not a path: a broken escape, NUL or another control, an escaped slash, a backslash.
        case malformed
    }

    static let index: StaticString = "index.html"
    /// The one hidden name that is served, as the first segment only (RFC 8615): certificates' challenges,
    /// security.txt, assetlinks.json.
    static let wellKnown: StaticString = ".well-known"

    /// Writes the name that `raw` (from its `/`, without query; empty means `/`) stands for into `path`.
    ///
    /// Escapes are undone first, then dot segments are removed (RFC 3986 §6.2.2.2 and §6.2.2.3). A path
    /// that climbs above the root at any point names nothing: the RFC would let it stay at the root, and
    /// nobody asks for that by intention.
    static func resolve(_ raw: Span<UInt8>, into path: inout ByteBuffer) -> Result {
        path.removeAll()
        guard raw.count == 0 || raw[0] == 0x2f else { return .malformed }
        var segmentStart = 0
        var climbs = false
        var index = min(1, raw.count)
        while index < raw.count {
            var byte = raw[index]
            index += 1
            if byte == 0x2f {
                if endSegment(&path, &segmentStart, &climbs) { path.append(0x2f as UInt8) }
                segmentStart = path.count
                continue
            }
            if byte == 0x25 {
                guard index + 1 < raw.count, let high = ASCII.hexValue(raw[index]),
                    let low = ASCII.hexValue(raw[index + 1])
                else { return .malformed }
                byte = high << 4 | low
                index += 2
                if byte == 0x2f { return .malformed }
            }
            if byte < 0x20 || byte == 0x7f || byte == 0x5c { return .malformed }
            path.append(byte)
        }
        _ = endSegment(&path, &segmentStart, &climbs)
        if climbs || !isVisible(path.span) { return .hidden }
        let isFolder = path.count == segmentStart
        if isFolder { path.append(Self.index) }
        path.append(0 as UInt8)
        return .name(isFolder: isFolder)
    }

    /// Removes the segment that ends `path` if it is a dot segment, and for `..` the one before it.
    /// - Returns: is the segment still there?
    private static func endSegment(
        _ path: inout ByteBuffer, _ segmentStart: inout Int, _ climbs: inout Bool
    ) -> Bool {
        let dots = dotCount(path.span.extracting(segmentStart..<path.count))
        guard dots > 0 else { return true }
        path.removeLast(dots)
        guard dots == 2 else { return false }
        guard segmentStart > 0 else {
            climbs = true
            return false
        }
        // The slash, and what is before it up to the next one.
        segmentStart -= 1
        while segmentStart > 0, path.span[segmentStart - 1] != 0x2f { segmentStart -= 1 }
        let excess = path.count - segmentStart
        path.removeLast(excess)
        return false
    }

    /// 1 or 2 for a dot segment, 0 for any other.
    private static func dotCount(_ segment: Span<UInt8>) -> Int {
        segment.equals(".") ? 1 : segment.equals("..") ? 2 : 0
    }

    /// Has a relative path no hidden segment, and no empty one but the last?
    private static func isVisible(_ path: Span<UInt8>) -> Bool {
        var start = 0
        for index in 0..<path.count where path[index] == 0x2f {
            let segment = path.extracting(start..<index)
            if segment.count == 0 || isHidden(segment, isFirst: start == 0) { return false }
            start = index + 1
        }
        return !isHidden(path.extracting(start..<path.count), isFirst: start == 0)
    }

    /// - Parameter isFirst: is the segment the first below the root?
    static func isHidden(_ segment: Span<UInt8>, isFirst: Bool) -> Bool {
        segment.count > 0 && segment[0] == 0x2e && !(isFirst && segment.equals(wellKnown))
    }

    /// Appends `path` as part of a URL (RFC 3986 §3.3): what is no `pchar` is escaped.
    static func appendEncoded(_ path: Span<UInt8>, to out: inout ByteBuffer) {
        for index in 0..<path.count {
            let byte = path[index]
            if isPathByte(byte) {
                out.append(byte)
            } else {
                out.append(0x25 as UInt8)
                for digit in [byte >> 4, byte & 15] { out.append(digit < 10 ? 0x30 + digit : 0x37 + digit) }
            }
        }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
            UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="),
            UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
