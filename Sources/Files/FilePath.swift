import Bytes

/// From a request's raw path to a name below the root. Pure text: what the name leads to is the kernel's to
/// say, which lets nothing lead out of the root (`Kernel.Directory`).
enum FilePath {
    enum Result: Equatable {
        /// `path` holds the relative name and its NUL. `isFolder`: the request ended in a slash, and the name
        /// in `index.html`.
        case name(isFolder: Bool)
        /// No file can have this name, or it is not to be shown: hidden names, `..`, empty segments.
        case hidden
        /// Not a path: a broken escape, NUL or another control, an escaped slash, a backslash.
        case malformed
    }

    static let index: StaticString = "index.html"

    /// Writes the name that `raw` (from its `/`, without query; empty means `/`) stands for into `path`.
    static func resolve(_ raw: Span<UInt8>, into path: inout ByteBuffer) -> Result {
        path.removeAll()
        var segmentStart = 0
        var isHidden = false
        var index = 0
        if raw.count > 0 {
            guard raw[0] == 0x2f else { return .malformed }
            index = 1
        }
        while index < raw.count {
            var byte = raw[index]
            index += 1
            if byte == 0x2f {
                if path.count == segmentStart { isHidden = true }
                path.append(0x2f as UInt8)
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
            if byte == 0x2e, path.count == segmentStart { isHidden = true }
            path.append(byte)
        }
        if isHidden { return .hidden }
        let isFolder = path.count == segmentStart
        if isFolder { path.append(Self.index) }
        path.append(0 as UInt8)
        return .name(isFolder: isFolder)
    }
}
