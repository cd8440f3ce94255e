/// What the store gets beside the body of a response that `judge` found storable.

public import Bytes
public import HTTP

extension Rules {
    /// Replaces `head` with the stored head, and `vary` with the Vary values of the request.
    ///
    /// - Parameters:
    ///   - bytes: the buffer that `response` was parsed from.
    ///   - facts: what `judge` found.
    ///   - bodyCount: bytes of the body.
    ///   - request: as for `writeVary`.
    /// - Returns: nil, or why the response cannot be stored after all.
    public func writeRecord(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ facts: EntryFacts, bodyCount: Int,
        request: borrowing FieldTable, _ requestBytes: Span<UInt8>, head: inout ByteBuffer,
        vary: inout ByteBuffer
    ) -> Reason? {
        head.removeAll()
        vary.removeAll()
        return StoredHead.write(
            response, bytes, bodyCount: bodyCount, receivedSeconds: facts.received.wallSeconds,
            limit: maxHeadBytes, transform: Self.variesByCoding(facts) ? .varies : .none, into: &head)
            ?? writeVary(response, bytes, request: request, requestBytes, into: &vary)
    }
}
