/// The requests that a refusal to store concerns, besides the request whose answer was refused. Requests that
/// wait for the answer are told. A waiting request that is not concerned may wait again, together with the
/// requests like it.
///
///     cause of the refusal     requests concerned
///     the answer               all; if the answer varies by value: those of its variant
///     a cookie, credentials    requests that have a cookie, or credentials, too
///     a temporary state        all

public import Bytes
public import HTTP

public struct RefusalScope: Sendable, Equatable {
    /// The Vary blob of the answered request (`Variance`). If empty, all variants are concerned.
    public var variant: [UInt8]
    /// The flags of the refused request that caused the refusal; empty if no flag caused it.
    public var flags: RequestVerdict.Flags

    public init(variant: [UInt8] = [], flags: RequestVerdict.Flags = []) {
        self.variant = variant
        self.flags = flags
    }

    public static var everybody: RefusalScope { RefusalScope() }

    /// What a waiting request does next.
    public enum Place: Equatable, Sendable {
        /// Its answer would be refused, too: it fetches for itself alone.
        case alone
        /// It waits for another fetch of the same key.
        case again
        /// It asks for another variant, whose blob was written.
        case variant
    }

    /// - Parameters:
    ///   - verdict: the verdict on the waiting request.
    ///   - blob: gets the blob of the waiting request if the result is `.variant`; otherwise its content is
    ///     meaningless.
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
    ///   - request: the fields of the answered request.
    public func scope(
        of refusal: Reason, _ response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        request: borrowing FieldTable, _ requestBytes: Span<UInt8>
    ) -> RefusalScope {
        switch refusal {
        case .cookie: return RefusalScope(flags: .cookie)
        case .authorization: return RefusalScope(flags: .authorization)
        default: break
        }
        // A failing origin fails for every request. And if the request caused the answer's status, its
        // variant does not tell which other requests get the same.
        guard refusal.dependsOnlyOnResponse, response.status < 500,
            !Self.isShapedByRequest(status: response.status), variesByValue(response.fields, bytes) == true
        else { return .everybody }
        var blob = ByteBuffer(capacity: 64)
        guard writeVary(response, bytes, request: request, requestBytes, into: &blob) == nil else {
            return .everybody
        }
        return RefusalScope(variant: blob.span.copied)
    }
}
