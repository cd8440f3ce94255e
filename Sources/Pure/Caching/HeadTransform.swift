/// What happens to an answer's field lines when its body is, or could be, coded anew (RFC 9110 §7.7, §8.4).
/// The stored heads and the heads on the wire are written through the same rules:
///
///     field                       varies     coded                  decoded
///     Vary                        made sure to list Accept-Encoding, unless it is `*`
///     Content-Encoding            stays      added                  left out
///     Content-Length              stays      left out: the writer knows the new one, or sends chunks
///     ETag "x"                    stays      W/"x": the bytes differ, the meaning does not
///     ETag W/"x"                  stays      stays
///     ETag that is none           stays      left out
///     Accept-Ranges               stays      left out: it speaks of the other bytes
///     Content-MD5, …-Digest       stays      left out: they would be wrong
///
/// A 304 that speaks of what was coded, or decoded, for its client is written as what was decoded: it names
/// no coding.
///
/// A malformed tag goes because a lenient client would take it for a strong validator of these bytes.

public import Bytes
public import HTTP

public struct HeadTransform: Sendable, BitwiseCopyable {
    public enum Change: Sendable, BitwiseCopyable, Equatable {
        case none
        /// The body stays; for other requests it is coded, or decoded.
        case varies
        /// The body is coded now, and was not before.
        case coded(Codings)
        /// The body was coded, and is not any more. Or there is none.
        case decoded
    }

    public let change: Change
    /// A Vary line that says it already has passed.
    private var hasVary = false

    public init(_ change: Change) { self.change = change }

    public static var none: HeadTransform { HeadTransform(.none) }
    public static var varies: HeadTransform { HeadTransform(.varies) }
    public static func coded(_ coding: Codings) -> HeadTransform { HeadTransform(.coded(coding)) }
    public static var decoded: HeadTransform { HeadTransform(.decoded) }

    /// Does the head stay as it is?
    @inlinable
    public var isNone: Bool {
        if case .none = change { return true }
        return false
    }

    /// Is the body another than what the origin sent?
    @inlinable
    public var changesBody: Bool {
        switch change {
        case .none, .varies: false
        case .coded, .decoded: true
        }
    }

    /// The fields that it changes, leaves out, or looks at; lines of others stay as they are.
    @inlinable
    public var fields: FieldSet {
        guard changesBody else { return FieldSet(.vary) }
        return FieldSet.digests.with(.vary).with(.contentEncoding).with(.contentLength).with(.etag)
            .with(.acceptRanges)
    }

    /// Appends what becomes of one line.
    public mutating func append(
        _ name: Span<UInt8>, _ value: Span<UInt8>, _ id: FieldName, to head: inout ByteBuffer
    ) {
        if id == .vary, !isNone, Self.coversAcceptEncoding(value) { hasVary = true }
        guard changesBody else { return head.append(name: name, value: value) }
        if Self.dropped.contains(id) { return }
        if id == .contentEncoding, change == .decoded { return }
        guard id == .etag else { return head.append(name: name, value: value) }
        guard EntityTag.opaqueRange(of: value) != nil else { return }
        head.append(name)
        head.append(value.hasPrefix("W/") ? ": " : ": W/")
        head.append(value)
        head.append("\r\n")
    }

    /// Appends the lines that the others were in want of; once, behind the last of them.
    public func finish(to head: inout ByteBuffer) {
        if case .coded(let coding) = change {
            head.append("Content-Encoding: ")
            head.append(coding.name)
            head.append("\r\n")
        }
        if !isNone, !hasVary { head.append("Vary: Accept-Encoding\r\n") }
    }

    private static var dropped: FieldSet {
        FieldSet.digests.with(.contentLength).with(.acceptRanges)
    }

    /// Does this Vary line list Accept-Encoding, or everything?
    static func coversAcceptEncoding(_ value: Span<UInt8>) -> Bool {
        var members = ListTokens(value)
        while let member = members.next() {
            let name = value.extracting(member)
            if name.equals("*") || name.equalsIgnoringCase("accept-encoding") { return true }
        }
        return false
    }
}

extension FieldSet {
    /// Checksums of the content or the representation (RFC 9530, RFC 3230, RFC 1864): a coding changes both.
    @inlinable @inline(__always)
    static var digests: FieldSet {
        FieldSet(.contentMD5).with(.digest).with(.contentDigest).with(.reprDigest)
    }
}
