/// Conditional requests answered from a stored head (RFC 9110 §13, RFC 9111 §4.3.2).

public import Bytes
public import HTTP

public enum Conditional {
    public enum Outcome: Sendable, BitwiseCopyable {
        /// No condition, or it holds: send the whole answer.
        case whole
        case notModified
    }

    /// If-None-Match (lists, `*`, weak comparison), and only without it If-Modified-Since. Ignored unless the
    /// stored status is 2xx (RFC 9110 §13.2.1).
    ///
    /// - Parameters:
    ///   - status: the stored one.
    ///   - head: the stored head, as `StoredHead.write` wrote it.
    ///   - nowSeconds: Unix time, for two-digit years.
    public static func evaluate(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, status: UInt16, head: Span<UInt8>,
        nowSeconds: Int64
    ) -> Outcome {
        guard 200..<300 ~= status else { return .whole }
        if PlantedFault.isPlanted(.answersNotModified) { return .notModified }
        if request.fields.contains(.ifNoneMatch) {
            for index in request.fields.range(of: .ifNoneMatch)
            where request.fields[index].id == .ifNoneMatch
                && bytes.slice(request.fields[index].value).equals("*")
            {
                return .notModified
            }
            guard let stored = StoredHead.field("etag", in: head) else { return .whole }
            for index in request.fields.range(of: .ifNoneMatch)
            where request.fields[index].id == .ifNoneMatch {
                let list = bytes.slice(request.fields[index].value)
                if EntityTag.list(list, containsWeakly: stored) { return .notModified }
            }
            return .whole
        }
        // A stored answer without Last-Modified could be compared by its Date (RFC 9111 §4.3.2); Larder does
        // not.
        guard let field = request.fields.first(.ifModifiedSince),
            !request.fields.isRepeated(.ifModifiedSince),
            let since = HTTPDate.parse(bytes.slice(field.value), now: nowSeconds),
            let stored = StoredHead.field("last-modified", in: head),
            let modified = HTTPDate.parse(stored, now: nowSeconds)
        else { return .whole }
        return modified <= since ? .notModified : .whole
    }

    /// Does the client know the strong tag of `response`, a 304, as the weak one only that a coded or decoded
    /// body had (`HeadTransform`)? Then the answer speaks of that: the 304 of an origin, which knows nothing
    /// of it, seldom tells what becomes of its 200.
    public static func holdsWeakened(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, _ response: borrowing ResponseHead,
        _ responseBytes: Span<UInt8>
    ) -> Bool {
        guard request.fields.contains(.ifNoneMatch), let field = response.fields.first(.etag),
            !response.fields.isRepeated(.etag)
        else { return false }
        let tag = responseBytes.slice(field.value)
        guard !tag.hasPrefix("W/"), let opaque = EntityTag.opaqueRange(of: tag) else { return false }
        var forms = EntityTag.Forms()
        for index in 0..<request.fields.count where request.fields[index].id == .ifNoneMatch {
            let list = bytes.slice(request.fields[index].value)
            forms.find(tag.extracting(opaque), in: list)
        }
        return forms.hasWeak && !forms.hasStrong
    }

    /// Which fields of a 200 are those of its 304.
    public enum Kept: Sendable, BitwiseCopyable {
        /// Of a stored answer: those of RFC 9110 §15.4.5, and Last-Modified where there is no ETag.
        case required
        /// Of an answer that no cache keeps: all but representation metadata, for there is no other answer
        /// that the client could have the rest from.
        case all
    }

    /// Appends the head of a 304 for a head in the stored form, in that form (no Age, no blank line).
    public static func appendNotModified(
        head: Span<UInt8>, keeping kept: Kept = .required, to output: inout ByteBuffer
    ) {
        output.append("HTTP/1.1 304 Not Modified\r\n")
        var hasEntityTag = false
        var lastModified: Range<Int>?
        var position = 0
        while let line = StoredHead.nextLine(of: head, from: &position) {
            guard !line.isEmpty else { continue }
            // Most lines are told apart by their first letter.
            switch head[line.lowerBound] | 0x20 {
            case UInt8(ascii: "e") where StoredHead.value(ofLine: line, "etag", in: head) != nil:
                hasEntityTag = true
                append(line, of: head, to: &output)
            case UInt8(ascii: "l") where StoredHead.value(ofLine: line, "last-modified", in: head) != nil:
                lastModified = line
            default:
                if kept == .all ? !isMetadata(line, of: head) : isRequired(line, of: head) {
                    append(line, of: head, to: &output)
                }
            }
        }
        if !hasEntityTag, let lastModified { append(lastModified, of: head, to: &output) }
    }

    private static func isRequired(_ line: Range<Int>, of head: Span<UInt8>) -> Bool {
        func isNamed(_ name: StaticString) -> Bool {
            StoredHead.value(ofLine: line, name, in: head) != nil
        }
        return switch head[line.lowerBound] | 0x20 {
        case UInt8(ascii: "c"):
            // Cache-Status too: Larder's own line is appended to the origin's.
            isNamed("cache-control") || isNamed("content-location") || isNamed("cdn-cache-control")
                || isNamed("cache-status")
        case UInt8(ascii: "d"): isNamed("date")
        case UInt8(ascii: "e"): isNamed("expires")
        case UInt8(ascii: "v"): isNamed("vary")
        default: false
        }
    }

    /// Does the line describe the body that the 304 does not have (RFC 9110 §8)? Last-Modified apart.
    private static func isMetadata(_ line: Range<Int>, of head: Span<UInt8>) -> Bool {
        guard let colon = head.extracting(line).firstIndex(of: UInt8(ascii: ":")) else { return false }
        let name = head.extracting(line.lowerBound..<(line.lowerBound &+ colon))
        let field = FieldName.identify(name)
        return metadata.contains(field) || name.equalsIgnoringCase("content-language")
    }

    private static var metadata: FieldSet {
        FieldSet.digests.with(.contentType).with(.contentEncoding).with(.contentLength).with(.contentRange)
    }

    private static func append(_ line: Range<Int>, of head: Span<UInt8>, to output: inout ByteBuffer) {
        output.append(head.extracting(line))
        output.append("\r\n")
    }
}

/// `[ W/ ] DQUOTE *etagc DQUOTE` (RFC 9110 §8.8.3). A backslash is an ordinary character in it, a comma too.
enum EntityTag {
    /// The range between the quotes if `text` is one whole entity tag.
    static func opaqueRange(of text: Span<UInt8>) -> Range<Int>? {
        var position = 0
        guard let opaque = next(in: text, from: &position), position == text.count else { return nil }
        return opaque
    }

    /// Strong comparison: both strong tags, and the same (RFC 9110 §8.8.3.2).
    static func isStrong(_ tag: Span<UInt8>, equalTo other: Span<UInt8>) -> Bool {
        !tag.hasPrefix("W/") && opaqueRange(of: tag) != nil && tag.equals(other)
    }

    /// Is `stored`, if it is a valid tag, in the list, by weak comparison?
    static func list(_ list: Span<UInt8>, containsWeakly stored: Span<UInt8>) -> Bool {
        guard let opaque = opaqueRange(of: stored) else { return false }
        var forms = Forms()
        forms.find(stored.extracting(opaque), in: list)
        return forms.hasWeak || forms.hasStrong
    }

    /// In which forms a tag is listed.
    struct Forms {
        var hasWeak = false
        var hasStrong = false

        /// Adds what is in this list, of a tag with this opaque part. A list that cannot be read has nothing
        /// further.
        mutating func find(_ opaque: Span<UInt8>, in list: Span<UInt8>) {
            var position = 0
            while true {
                while position < list.count,
                    ASCII.isBlank(list[position]) || list[position] == UInt8(ascii: ",")
                {
                    position &+= 1
                }
                let start = position
                guard let candidate = EntityTag.next(in: list, from: &position) else { return }
                while position < list.count, ASCII.isBlank(list[position]) { position &+= 1 }
                guard position == list.count || list[position] == UInt8(ascii: ",") else { return }
                guard list.extracting(candidate).equals(opaque) else { continue }
                if list[start] == UInt8(ascii: "W") { hasWeak = true } else { hasStrong = true }
            }
        }
    }

    /// The opaque part of the tag at `position`, which is left behind its closing quote.
    fileprivate static func next(in text: Span<UInt8>, from position: inout Int) -> Range<Int>? {
        var start = position
        if start &+ 1 < text.count, text[start] == UInt8(ascii: "W"), text[start &+ 1] == UInt8(ascii: "/") {
            start &+= 2
        }
        guard start < text.count, text[start] == UInt8(ascii: "\"") else { return nil }
        var end = start &+ 1
        while end < text.count, text[end] != UInt8(ascii: "\"") {
            // etagc: no space and no control.
            guard text[end] > 0x20, text[end] != 0x7f else { return nil }
            end &+= 1
        }
        guard end < text.count else { return nil }
        position = end &+ 1
        return (start &+ 1)..<end
    }
}
