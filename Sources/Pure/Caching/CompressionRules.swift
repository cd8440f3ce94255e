/// Which answers are compressed, and with which coding: `compress` of a policy, compiled.
///
/// An answer is compressed only if the policy lists its type. It must not forbid transformation, be coded
/// already, be a part, or carry a checksum of its bytes.

internal import Bytes
public import HTTP
public import Settings

public struct CompressionRules: Sendable {
    /// The media types in lower case, concatenated; `text/*` is `text/`.
    private let text: [UInt8]
    private let types: [MediaType]
    private let minBody: UInt64
    /// The coding chosen for each set of accepted codings, four bits each; 0 for none. Read on every hit.
    @usableFromInline let choices: UInt64
    /// Is an answer compressed even if it is for one client only?
    let takesAll: Bool

    /// May the coding of bodies be changed at all?
    var isEnabled: Bool { choices != 0 }

    private struct MediaType: Sendable {
        var range: Range<Int>
        /// Does it match all subtypes of a type?
        var isPrefix: Bool
        /// The first up to eight bytes. They are compared first.
        var front: UInt64
        var mask: UInt64

        func begins(_ word: UInt64) -> Bool { (word ^ front) & mask == 0 }
    }

    public init(_ policy: Policy.Compress) {
        var text: [UInt8] = []
        types = policy.types.map { type in
            let isPrefix = type.hasSuffix("/*")
            let start = text.count
            text += Array(type.lowercased().utf8).dropLast(isPrefix ? 1 : 0)
            let count = min(text.count - start, 8)
            return MediaType(
                range: start..<text.count, isPrefix: isPrefix,
                front: text.span.word(at: start, length: count),
                mask: count == 8 ? ~0 : 1 << UInt64(count * 8) - 1)
        }
        self.text = text
        minBody = UInt64(max(policy.minBodyBytes, 1))
        takesAll = policy.answers == .all
        let codings: [Codings] = (policy.answers == .none ? [] : policy.codings).map { coding in
            switch coding {
            case .br: .br
            case .gzip: .gzip
            case .zstd: .zstd
            }
        }
        var choices: UInt64 = 0
        for set in UInt8(0)..<16 {
            let choice = codings.first { Codings(rawValue: set).contains($0) }
            choices |= UInt64(choice?.rawValue ?? 0) << UInt64(set * 4)
        }
        self.choices = choices
    }

    /// The first of the policy's codings that the client accepts; nil if there is none.
    @inlinable @inline(__always)
    public func choose(accepted: Codings) -> Codings? {
        let choice = UInt8(truncatingIfNeeded: choices >> UInt64((accepted.rawValue & 15) * 4)) & 15
        return choice == 0 ? nil : Codings(rawValue: choice)
    }

    /// Is a coded variant of `count` bytes worth its memory beside the original? It must save a sixteenth of
    /// the original's body.
    public static func isWorthStoring(_ count: Int, insteadOf bodyCount: Int) -> Bool {
        count + bodyCount / 16 < bodyCount
    }

    /// May this answer's body be compressed? For an answer to HEAD: may the body of the GET be compressed, as
    /// far as Content-Length shows?
    public func isCompressible(_ response: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        guard choices != 0, Self.hasWholeBody(response.status) else { return false }
        guard !response.fields.containsAny(of: .untransformable) else { return false }
        switch response.framing {
        case .length(let count): if count < minBody { return false }
        case .chunked, .untilClose: break
        case .none:
            if let length = response.fields.first(.contentLength) {
                guard let count = bytes.slice(length.value).decimalSaturating(), count >= minBody else {
                    return false
                }
            }
        }
        guard listsType(response.fields, bytes) == true else { return false }
        return !Self.forbidsTransform(response.fields, bytes)
    }

    /// Does the policy list the answer's media type? Nil if the answer names no type.
    @inline(__always)
    func listsType(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool? {
        guard let type = fields.first(.contentType) else { return nil }
        return !fields.isRepeated(.contentType) && lists(bytes.slice(type.value))
    }

    /// Does Cache-Control forbid to change the coding (`no-transform`, RFC 9111 §5.2.2.6)?
    @inline(__always)
    public static func forbidsTransform(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        for index in fields.range(of: .cacheControl) where fields[index].id == .cacheControl {
            if mentionsNoTransform(bytes.slice(fields[index].value)) { return true }
        }
        return false
    }

    private static func hasWholeBody(_ status: UInt16) -> Bool {
        switch status {
        case ..<200, 204, 205, 206, 304: false
        default: true
        }
    }

    /// Does the policy list this Content-Type? Parameters are ignored.
    @inline(__always)
    private func lists(_ value: Span<UInt8>) -> Bool {
        let front = value.word(at: 0, length: min(value.count, 8)).lowercasedBytes
        for index in types.indices where types[index].begins(front) {
            let entry = types[index]
            var end = entry.range.count
            guard value.count >= end else { continue }
            if end > 8 {
                let (listed, stated) = (text.span.extracting(entry.range), value.extracting(first: end))
                guard stated.equalsIgnoringCase(listed) else { continue }
            }
            while end < value.count, ASCII.isBlank(value[end]) { end &+= 1 }
            // With a prefix such as `text/`, a subtype must follow. With a full type, it must end here.
            let isOver = end == value.count || value[end] == UInt8(ascii: ";")
            if isOver != entry.isPrefix { return true }
        }
        return false
    }

    /// Does `no-transform` occur anywhere in a Cache-Control value? A prohibition counts in any spelling. If
    /// the word means something else here, only a compression is lost.
    @inline(__always)
    static func mentionsNoTransform(_ value: Span<UInt8>) -> Bool {
        let count = 12
        guard value.count >= count else { return false }
        for start in 0...(value.count &- count) where value[start] | 0x20 == UInt8(ascii: "n") {
            if value.extracting(start..<(start &+ count)).equalsIgnoringCase("no-transform") { return true }
        }
        return false
    }
}

extension FieldSet {
    /// If an answer has one of these fields, its bytes are not changed. Trailers may carry a checksum, too.
    @inlinable @inline(__always)
    static var untransformable: FieldSet {
        FieldSet.digests.with(.contentEncoding).with(.contentRange).with(.trailer)
    }
}
