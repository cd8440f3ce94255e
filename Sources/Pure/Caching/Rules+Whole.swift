/// When a response cannot tell its client in which coding it would get the body, so that the whole is fetched
/// by GET in place of it.

internal import Bytes
public import HTTP

extension Rules {
    /// What the response to a HEAD tells of the entry that GET would leave; nil where GET would leave none.
    ///
    /// - Parameters:
    ///   - request: the verdict on the HEAD, with `noteFile`.
    ///   - sent, received: as for `judge`.
    public func judgeWhole(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: RequestVerdict, sent: Times,
        received: Times
    ) -> EntryFacts? {
        guard request.method == .head, request.mayLookup else { return nil }
        if let length = response.fields.first(.contentLength) {
            let count = bytes.slice(length.value).decimalSaturating() ?? .max
            guard count <= UInt64(maxBodyBytes) else { return nil }
        }
        let judged = judge(response, bytes, to: request.storing, sent: sent, received: received)
        guard case .store(let facts) = judged else { return nil }
        return facts
    }

    /// Is GET sent after the response to a HEAD, because the response names no length, by which the coding
    /// goes?
    /// - Parameter whole: what `judgeWhole` found.
    public static func fetchesWhole(
        _ response: borrowing ResponseHead, _ whole: EntryFacts
    ) -> Bool { !response.fields.contains(.contentLength) && variesByCoding(whole) }

    /// Is the whole fetched after a part, because the part is of bytes that the client may have in another
    /// coding? To join them would damage the client's copy.
    ///
    /// - Parameter verdict: the verdict on `request`, with `noteFile`.
    public func fetchesWhole(
        insteadOfPart response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>
    ) -> Bool {
        guard response.status == 206, verdict.mayLookup, verdict.flags.contains(.range) else { return false }
        return isPartOfOtherCoding(response, bytes, to: verdict, request, requestBytes)
    }
}
