/// How the field lines of an answer change when its body is, or could be, coded or decoded (RFC 9110 §7.7,
/// §8.4). Stored heads and heads on the wire follow the same rules:
///
///     field                       varies     coded                  decoded
///     Vary                        lists Accept-Encoding, or is `*`; a line is added if needed
///     Content-Encoding            stays      added                  removed
///     Content-Length              stays      removed; the caller writes the new one, or sends chunks
///     ETag "x"                    stays      W/"x": other bytes, same meaning
///     ETag W/"x"                  stays      stays
///     malformed ETag              stays      removed
///     Accept-Ranges               stays      removed: it describes the original bytes
///     Content-MD5, …-Digest       stays      removed: they would be wrong
///
/// A 304 for a client that has a coded or decoded body is written as `decoded`: it names no coding.
///
/// A malformed tag is removed because a lenient client could take it for a strong validator of the new bytes.

public import Bytes
public import HTTP

public struct HeadTransform: Sendable, BitwiseCopyable {
    public enum Change: Sendable, BitwiseCopyable, Equatable {
        case none
        /// The body is unchanged, but other requests get it coded or decoded.
        case varies
        /// Larder codes the body, which was not coded.
        case coded(Codings)
        /// Larder decodes the body, which was coded; or the answer has no body.
        case decoded
    }

    public let change: Change
    /// Has a Vary line that covers Accept-Encoding been written?
    private var hasVary = false

    public init(_ change: Change) { self.change = change }

    public static var none: HeadTransform { HeadTransform(.none) }
    public static var varies: HeadTransform { HeadTransform(.varies) }
    public static func coded(_ coding: Codings) -> HeadTransform { HeadTransform(.coded(coding)) }
    public static var decoded: HeadTransform { HeadTransform(.decoded) }

    /// Does the head stay unchanged?
    @inlinable
    public var isNone: Bool {
        if case .none = change { return true }
        return false
    }

    /// Does the body differ from the origin's body?
    @inlinable
    public var changesBody: Bool {
        switch change {
        case .none, .varies: false
        case .coded, .decoded: true
        }
    }

    /// The fields that this transform reads, changes or removes. Lines of other fields stay unchanged.
    @inlinable
    public var fields: FieldSet {
        guard changesBody else { return FieldSet(.vary) }
        return FieldSet.digests.with(.vary).with(.contentEncoding).with(.contentLength).with(.etag)
            .with(.acceptRanges)
    }

    /// Appends the transformed form of one line, or nothing if the line is removed.
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

    /// Appends the added lines. Call it once, behind the last line.
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

    /// Does this Vary value list Accept-Encoding, or `*`?
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
    /// Checksums of the content or of the representation (RFC 9530, RFC 3230, RFC 1864). A new coding makes
    /// both invalid.
    @inlinable @inline(__always)
    static var digests: FieldSet {
        FieldSet(.contentMD5).with(.digest).with(.contentDigest).with(.reprDigest)
    }
}
