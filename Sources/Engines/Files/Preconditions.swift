import Bytes
import HTTP

/// What a request's conditional and range fields ask of a file that is there. The order is RFC 9110
/// §13.2.2's.
enum Preconditions {
    enum Verdict: Equatable {
        case whole
        case part(Range<Int64>)
        case notModified
        case failed
        case unsatisfiable
    }

    /// The file as HTTP sees it.
    struct File: ~Escapable {
        /// A strong entity tag, quotes included.
        let etag: Span<UInt8>
        /// Unix seconds, not later than `now`.
        let lastModified: Int64
        let size: Int64
        /// Unix seconds.
        let now: Int64

        @_lifetime(copy etag)
        init(etag: Span<UInt8>, lastModified: Int64, size: Int64, now: Int64) {
            self.etag = etag
            self.lastModified = lastModified
            self.size = size
            self.now = now
        }
    }

    static func judge(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ file: borrowing File
    ) -> Verdict {
        if head.fields.contains(.ifMatch) {
            if !anyTag(head, bytes, .ifMatch, matches: file.etag, strongly: true) { return .failed }
        } else if let date = date(head, bytes, .ifUnmodifiedSince, file.now), file.lastModified > date {
            return .failed
        }
        if head.fields.contains(.ifNoneMatch) {
            if anyTag(head, bytes, .ifNoneMatch, matches: file.etag, strongly: false) { return .notModified }
        } else if let date = date(head, bytes, .ifModifiedSince, file.now), file.lastModified <= date {
            return .notModified
        }
        guard head.method == .get, head.fields.count(of: .range) == 1, let field = head.fields.first(.range),
            rangeApplies(head, bytes, file)
        else { return .whole }
        return range(bytes.slice(field.value), size: file.size)
    }

    // MARK: Validators

    private static func anyTag(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ name: FieldName, matches etag: Span<UInt8>,
        strongly: Bool
    ) -> Bool {
        for index in 0..<head.fields.count where head.fields[index].id == name {
            let value = bytes.slice(head.fields[index].value)
            if value.equals("*") { return true }
            var members = ListTokens(value, backslashEscapes: false)
            while let range = members.next() {
                let tag = value.extracting(range)
                if tag.equals(etag) { return true }
                if !strongly, tag.hasPrefix("W/"), tag.extracting(2..<tag.count).equals(etag) { return true }
            }
        }
        return false
    }

    /// The date in the only line of this name; nil for anything else, which is then ignored.
    private static func date(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ name: FieldName, _ now: Int64
    ) -> Int64? {
        guard head.fields.count(of: name) == 1, let field = head.fields.first(name) else { return nil }
        return HTTPDate.parse(bytes.slice(field.value), now: now)
    }

    /// If-Range (§13.1.5): without it, or if its validator matches strongly.
    private static func rangeApplies(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ file: borrowing File
    ) -> Bool {
        guard let field = head.fields.first(.ifRange) else { return true }
        guard head.fields.count(of: .ifRange) == 1 else { return false }
        let value = bytes.slice(field.value)
        if value.equals(file.etag) { return true }
        guard let date = HTTPDate.parse(value, now: file.now) else { return false }
        // A date is a strong validator once a second has passed since (§8.8.2.2).
        return date == file.lastModified && file.lastModified < file.now
    }

    // MARK: Range

    /// One byte range (§14.1.2). Anything else, several ranges and nonsense included, is as if it weren't
    /// there.
    private static func range(_ value: Span<UInt8>, size: Int64) -> Verdict {
        guard value.count > 6, value.extracting(0..<6).equalsIgnoringCase("bytes=") else { return .whole }
        let text = value.extracting(6..<value.count).trimmed()
        guard let dash = text.firstIndex(of: 0x2d) else { return .whole }
        let first = text.extracting(0..<dash)
        let last = text.extracting((dash + 1)..<text.count)
        if first.count == 0 {
            guard let suffix = last.decimalSaturating() else { return .whole }
            if suffix == 0 || size == 0 { return .unsatisfiable }
            return .part((size - Int64(clamping: min(suffix, UInt64(size))))..<size)
        }
        guard let start = first.decimalSaturating() else { return .whole }
        var end = UInt64.max
        if last.count > 0 {
            guard let given = last.decimalSaturating(), given >= start else { return .whole }
            end = given
        }
        if start >= UInt64(size) { return .unsatisfiable }
        return .part(Int64(start)..<Int64(min(end, UInt64(size) - 1) + 1))
    }
}
