import Bytes

/// Text of strangers, made safe to stand in a line of a log: no byte of a request can end a string or a line,
/// or reach a terminal as a control.
enum LogText {
    /// Appends what stands between the quotes of a JSON string (RFC 8259 §7). Valid UTF-8 stays as it is;
    /// each byte that is not part of a valid sequence becomes U+FFFD; controls (C0, DEL and C1) become
    /// `\u00xx`.
    static func appendJSON(_ text: Span<UInt8>, to out: inout ByteBuffer) {
        var runStart = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c {
                index += 1
                continue
            }
            let length = byte < 0x80 ? 1 : utf8Length(text, index)
            let isC1 = length == 2 && byte == 0xc2 && text[index + 1] < 0xa0
            if length > 1, !isC1 {
                index += length
                continue
            }
            out.append(text.extracting(runStart..<index))
            switch byte {
            case 0x22, 0x5c:
                out.append(0x5c as UInt8)
                out.append(byte)
            case 0x0a: out.append("\\n")
            case 0x0d: out.append("\\r")
            case 0x09: out.append("\\t")
            case 0x00..<0x80:
                out.append("\\u00")
                appendHexPair(byte, to: &out)
            default:
                if isC1 {
                    out.append("\\u00")
                    appendHexPair(text[index + 1], to: &out)
                } else {
                    out.append("\\ufffd")
                }
            }
            index += max(length, 1)
            runStart = index
        }
        out.append(text.extracting(runStart..<text.count))
    }

    /// Appends text as Apache's log does: `"` and `\` behind a backslash, `\n`, `\r`, `\t` as such, every
    /// other byte that is not printable ASCII as `\xhh`.
    static func appendEscaped(_ text: Span<UInt8>, to out: inout ByteBuffer) {
        var runStart = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c { continue }
            out.append(text.extracting(runStart..<index))
            runStart = index + 1
            switch byte {
            case 0x22, 0x5c:
                out.append(0x5c as UInt8)
                out.append(byte)
            case 0x0a: out.append("\\n")
            case 0x0d: out.append("\\r")
            case 0x09: out.append("\\t")
            default:
                out.append("\\x")
                appendHexPair(byte, to: &out)
            }
        }
        out.append(text.extracting(runStart..<text.count))
    }

    /// The length of the well-formed UTF-8 sequence (Unicode table 3-7) at `index`, whose first byte is not
    /// ASCII; 0 if there is none.
    private static func utf8Length(_ text: Span<UInt8>, _ index: Int) -> Int {
        let lead = text[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch lead {
        case 0xc2...0xdf: length = 2
        case 0xe0:
            length = 3
            second = 0xa0...0xbf
        case 0xed:
            length = 3
            second = 0x80...0x9f
        case 0xe1...0xef: length = 3
        case 0xf0:
            length = 4
            second = 0x90...0xbf
        case 0xf4:
            length = 4
            second = 0x80...0x8f
        case 0xf1...0xf3: length = 4
        default: return 0
        }
        guard index + length <= text.count, second.contains(text[index + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where text[index + offset] & 0xc0 != 0x80 { return 0 }
        return length
    }

    private static func appendHexPair(_ byte: UInt8, to out: inout ByteBuffer) {
        for nibble in [byte >> 4, byte & 15] { out.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
    }
}
