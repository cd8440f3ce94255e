/// Whom a refusal to store concerns, besides the request whose answer was refused: requests that waited for
/// it are told so. A waiter that it does not concern need not go alone, but takes its place among its like.
///
///     the refusal lies in      concerns
///     the answer               everybody, or where the answer varies by value, its own variant
///     a cookie, credentials    requests that have such, too
///     the moment, an error     everybody

public import Bytes
public import HTTP

public struct RefusalScope: Sendable, Equatable {
    /// The Vary blob of the request that was answered (`Variance`); empty: all variants are concerned.
    public var variant: [UInt8]
    /// What the refused request had, and the refusal lies in; empty: in nothing of that kind.
    public var flags: RequestVerdict.Flags

    public init(variant: [UInt8] = [], flags: RequestVerdict.Flags = []) {
        self.variant = variant
        self.flags = flags
    }

    public static var everybody: RefusalScope { RefusalScope() }

    /// Where a waiter belongs.
    public enum Place: Equatable, Sendable {
        /// It would be refused as well: it fetches for itself alone.
        case alone
        /// It waits for another fetch of what it has waited for.
        case again
        /// It is of another variant: the appended blob is its own.
        case variant
    }

    /// - Parameters:
    ///   - verdict: on the request that waited.
    ///   - blob: gets the request's own blob where it is of another variant; else it is of no meaning.
    public func place(
        of verdict: RequestVerdict, _ request: borrowing FieldTable, _ bytes: Span<UInt8>,
        into blob: inout ByteBuffer
    ) -> Place {
        if !flags.isEmpty { return verdict.flags.isDisjoint(with: flags) ? .again : .alone }
        guard !variant.isEmpty else { return .alone }
        blob.removeAll()
        Variance.append(namesOf: variant.span, request, bytes, to: &blob)
        return blob.span.equals(variant.span) ? .alone : .variant
    }
}

extension Rules {
    /// - Parameters:
    ///   - refusal: why the answer in `response` is not stored.
    ///   - request: of the request that it answers.
    public func scope(
        of refusal: Reason, _ response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        request: borrowing FieldTable, _ requestBytes: Span<UInt8>
    ) -> RefusalScope {
        switch refusal {
        case .cookie: return RefusalScope(flags: .cookie)
        case .authorization: return RefusalScope(flags: .authorization)
        default: break
        }
        // An origin in trouble is in trouble with everybody, and what one request brought about is not told
        // by its variant.
        guard refusal.liesInAnswer, response.status < 500, !Self.isShapedByRequest(status: response.status),
            variesByValue(response.fields, bytes) == true
        else { return .everybody }
        var blob = ByteBuffer(capacity: 64)
        guard writeVary(response, bytes, request: request, requestBytes, into: &blob) == nil else {
            return .everybody
        }
        return RefusalScope(variant: blob.span.copied)
    }
}
