/// Keys with which origins let their answers be purged: `Surrogate-Key` and `xkey`, separated by white space,
/// and `Cache-Tag`, separated by commas. They are compared byte by byte, in place in the stored head.

internal import Bytes
internal import HTTP

enum SurrogateKeys {
    /// Is `name` among the keys of a stored answer? Does not allocate.
    static func contains(_ name: Span<UInt8>, in head: Span<UInt8>) -> Bool {
        guard !name.isEmpty else { return false }
        var position = 0
        while let line = StoredHead.nextLine(of: head, from: &position) {
            let spaced =
                StoredHead.value(ofLine: line, "surrogate-key", in: head)
                ?? StoredHead.value(ofLine: line, "xkey", in: head)
            if let spaced {
                if words(head.extracting(spaced), contain: name, separatedBy: { ASCII.isBlank($0) }) {
                    return true
                }
            } else if let listed = StoredHead.value(ofLine: line, "cache-tag", in: head) {
                let isComma = { (byte: UInt8) in byte == UInt8(ascii: ",") }
                if words(head.extracting(listed), contain: name, separatedBy: isComma) { return true }
            }
        }
        return false
    }

    private static func words(
        _ text: Span<UInt8>, contain name: Span<UInt8>, separatedBy isSeparator: (UInt8) -> Bool
    ) -> Bool {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, !isSeparator(text[end]) { end &+= 1 }
            if text.extracting(start..<end).trimmed().equals(name) { return true }
            start = end &+ 1
        }
        return false
    }
}
