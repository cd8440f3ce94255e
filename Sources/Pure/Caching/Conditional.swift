/// Conditional requests answered from a stored head (RFC 9110 §13, RFC 9111 §4.3.2).

public import Bytes
public import HTTP

public enum Conditional {
    public enum Outcome: Sendable, BitwiseCopyable {
        /// There is no condition, or it holds: send the whole answer.
        case whole
        case notModified
    }

    /// Evaluates If-None-Match (lists, `*`, weak comparison) or, without it, If-Modified-Since. Both are
    /// ignored unless the stored status is 2xx (RFC 9110 §13.2.1).
    ///
    /// - Parameters:
    ///   - status: the stored status.
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
        // RFC 9111 §4.3.2 allows to compare Date if there is no Last-Modified. Larder does not do that.
        guard let field = request.fields.first(.ifModifiedSince),
            !request.fields.isRepeated(.ifModifiedSince),
            let since = HTTPDate.parse(bytes.slice(field.value), now: nowSeconds),
            let stored = StoredHead.field("last-modified", in: head),
            let modified = HTTPDate.parse(stored, now: nowSeconds)
        else { return .whole }
        return modified <= since ? .notModified : .whole
    }

    /// Does the client know the strong tag of `response`, a 304, only in the weak form that Larder gives a
    /// coded or decoded body (`HeadTransform`)? Then the answer must carry the weak form. The origin's 304
    /// itself does not show how Larder transforms the 200.
    public static func clientHoldsWeakTag(
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

    /// Which fields of a 200 its 304 keeps.
    public enum Kept: Sendable, BitwiseCopyable {
        /// For a stored answer: the fields of RFC 9110 §15.4.5, and Last-Modified if there is no ETag.
        case required
        /// For an answer that is not stored: all fields but representation metadata, because the client can
        /// get the rest from no other answer.
        case all
    }

    /// Appends the head of a 304. Input and output have the stored form (no Age, no blank line).
    public static func appendNotModified(
        head: Span<UInt8>, keeping kept: Kept = .required, to output: inout ByteBuffer
    ) {
        output.append("HTTP/1.1 304 Not Modified\r\n")
        var hasEntityTag = false
        var lastModified: Range<Int>?
        var position = 0
        while let line = StoredHead.nextLine(of: head, from: &position) {
            guard !line.isEmpty else { continue }
            // The first letter distinguishes most lines.
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
            // Cache-Status too: Larder appends its own member to the origin's.
            isNamed("cache-control") || isNamed("content-location") || isNamed("cdn-cache-control")
                || isNamed("cache-status")
        case UInt8(ascii: "d"): isNamed("date")
        case UInt8(ascii: "e"): isNamed("expires")
        case UInt8(ascii: "v"): isNamed("vary")
        default: false
        }
    }

    /// Does the line describe the body, which a 304 does not have (RFC 9110 §8)? Last-Modified is handled by
    /// the caller.
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

/// `[ W/ ] DQUOTE *etagc DQUOTE` (RFC 9110 §8.8.3). Backslash and comma are ordinary characters in an entity
/// tag.
enum EntityTag {
    /// The range between the quotes, if `text` is exactly one entity tag.
    static func opaqueRange(of text: Span<UInt8>) -> Range<Int>? {
        var position = 0
        guard let opaque = next(in: text, from: &position), position == text.count else { return nil }
        return opaque
    }

    /// Strong comparison: both tags are strong and equal (RFC 9110 §8.8.3.2).
    static func isStrong(_ tag: Span<UInt8>, equalTo other: Span<UInt8>) -> Bool {
        !tag.hasPrefix("W/") && opaqueRange(of: tag) != nil && tag.equals(other)
    }

    /// Is `stored` a valid tag and in the list, by weak comparison?
    static func list(_ list: Span<UInt8>, containsWeakly stored: Span<UInt8>) -> Bool {
        guard let opaque = opaqueRange(of: stored) else { return false }
        var forms = Forms()
        forms.find(stored.extracting(opaque), in: list)
        return forms.hasWeak || forms.hasStrong
    }

    /// The forms in which a list contains a tag.
    struct Forms {
        var hasWeak = false
        var hasStrong = false

        /// Adds the forms of the tag with this opaque part in this list. Reading stops at the first malformed
        /// member.
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

    /// The opaque part of the tag at `position`. Moves `position` behind the closing quote.
    fileprivate static func next(in text: Span<UInt8>, from position: inout Int) -> Range<Int>? {
        var start = position
        if start &+ 1 < text.count, text[start] == UInt8(ascii: "W"), text[start &+ 1] == UInt8(ascii: "/") {
            start &+= 2
        }
        guard start < text.count, text[start] == UInt8(ascii: "\"") else { return nil }
        var end = start &+ 1
        while end < text.count, text[end] != UInt8(ascii: "\"") {
            // etagc: no space, no control byte.
            guard text[end] > 0x20, text[end] != 0x7f else { return nil }
            end &+= 1
        }
        guard end < text.count else { return nil }
        position = end &+ 1
        return (start &+ 1)..<end
    }
}
