/// How the answer to a revalidation (RFC 9111 §4.3.4), or to a HEAD request (§4.3.5), changes the entry.
///
/// A renewal judges anew: the updated head goes through every rule of "May this answer be stored?", with the
/// Age of the newer answer only. So the store keeps nothing that it would not accept now. Renewal allocates;
/// it is not part of a hit.

public import Bytes
public import HTTP
internal import Settings

public enum RenewVerdict: Equatable, Sendable {
    /// The updated head was appended, and these are the new facts of the entry. Its Vary may have changed:
    /// see `writeVary(ofStored:…)`.
    case renewed(EntryFacts)
    /// The 304 is about another answer. It renews nothing, and the stored body must not be used: fetch
    /// without conditions.
    case mismatch
    /// The updated head was appended. It answers this request, with the stored body and this Age, but may not
    /// be stored: remove the entry.
    case refused(Reason, ageSeconds: UInt32)
}

public enum HeadUpdate: Equatable, Sendable {
    /// The updated head was appended, and these are the new facts of the entry.
    case freshened(EntryFacts)
    /// The origin now has another answer, or one that may not be stored.
    case invalidate
    /// The answer says nothing about this entry.
    case ignore
}

extension Rules {
    /// Updates a stored head by a 304 to a fetch with the conditions of `Validators.append`.
    ///
    /// - Parameters:
    ///   - head: the stored head of the original, as it was when the fetch was sent.
    ///   - response: the 304, parsed from `bytes`.
    ///   - request: the verdict on the request that caused the fetch.
    ///   - sent: when the request was sent to the origin.
    ///   - received: when the 304 was complete.
    ///   - updated: gets the updated head appended, in the stored form; unchanged on `.mismatch`.
    public func renew(
        _ head: Span<UInt8>, by response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        to request: RequestVerdict, sent: Times, received: Times, into updated: inout ByteBuffer
    ) -> RenewVerdict {
        let start = updated.count
        guard response.status == 304, let status = StoredHead.status(of: head), 200..<300 ~= status,
            Validators.select(head, by: response, bytes, reading, nowSeconds: received.wallSeconds)
                || PlantedFault.isPlanted(.renewsBlindly),
            let update = update(
                head, by: response, bytes, to: request, sent: sent, received: received, into: &updated)
        else {
            updated.removeLast(updated.count &- start)
            return .mismatch
        }
        guard let reason = update.reason else { return .renewed(update.facts) }
        return .refused(reason, ageSeconds: update.ageSeconds)
    }

    /// Compares the answer to a HEAD with the entry, and updates the entry if they agree.
    ///
    /// The answer freshens the entry if all its validators are equal to those of the stored 200, and so is
    /// its Content-Length, if present. If it has no validators, only `reading: rfc` accepts an equal length
    /// alone. An answer in another coding is ignored.
    ///
    /// - Parameters: as for `renew`.
    public func updateByHead(
        _ head: Span<UInt8>, by response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        to request: RequestVerdict, sent: Times, received: Times, into updated: inout ByteBuffer
    ) -> HeadUpdate {
        guard request.method == .head, request.mayLookup, response.status == 200,
            StoredHead.status(of: head) == 200,
            Self.hasCoding(of: head, response, bytes)
        else { return .ignore }
        let length = Self.hasLength(of: head, response, bytes)
        let agrees = Validators.agree(head, with: response, bytes, nowSeconds: received.wallSeconds)
        if agrees == false || length == false { return .invalidate }
        if agrees == nil, reading == .strict || length == nil { return .ignore }
        let start = updated.count
        let update = update(
            head, by: response, bytes, to: request, sent: sent, received: received, into: &updated)
        if let update, update.reason == nil { return .freshened(update.facts) }
        updated.removeLast(updated.count &- start)
        return update == nil ? .ignore : .invalidate
    }

    private struct Update {
        var facts: EntryFacts
        var reason: Reason?
        var ageSeconds: UInt32
    }

    /// Appends the updated head and judges it. Nil if the result is not a valid head.
    private func update(
        _ head: Span<UInt8>, by response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        to request: RequestVerdict, sent: Times, received: Times, into updated: inout ByteBuffer
    ) -> Update? {
        let start = updated.count
        let isMerged = StoredHead.merge(
            head, with: response, bytes, receivedSeconds: received.wallSeconds, to: &updated)
        guard isMerged else { return nil }
        // Judge a head as the origin could have sent it: the updated head without the Vary that storing
        // added, and with the fields of the newer answer that storing omitted.
        var text = ByteBuffer(capacity: updated.count &- start &+ 64)
        let addsVary = Self.append(
            asReceived: updated.span.extracting(droppingFirst: start),
            isOwnVary: !response.fields.contains(.vary), to: &text)
        for index in 0..<response.fields.count {
            let field = response.fields[index]
            guard field.id == .age || field.id == .connection else { continue }
            text.append(name: bytes.slice(field.name), value: bytes.slice(field.value))
        }
        text.append("\r\n")
        var parsed = ResponseHead()
        var scan = HeadScan()
        guard text.count <= 65_535,
            parsed.parse(
                text.span, limits: HeadLimits(head: 65_535, fields: FieldTable.capacity), scan: &scan,
                requestMethod: .get) == .complete(text.count)
        else { return nil }

        var timing = Timing()
        var first = FirstRefusal()
        let facts = walk(
            parsed, text.span, to: request.storing, sent: sent, received: received, &timing, &first)
        if addsVary, first.reason == nil, Self.variesByCoding(facts) {
            updated.append("Vary: Accept-Encoding\r\n")
        }
        let isTooLarge = updated.count &- start > maxHeadBytes
        // The walk may have ended before it computed the age.
        let age = initialAge(of: parsed, text.span, sent: sent, received: received)
        return Update(
            facts: facts, reason: first.reason ?? (isTooLarge ? .headTooLarge : nil),
            ageSeconds: Self.seconds(roundingUp: age))
    }

    /// Appends a stored head without the Vary line that storing may have added (`HeadTransform`).
    /// - Parameter isOwnVary: do the Vary lines come from the stored head?
    /// - Returns: would a compressible answer need that line?
    private static func append(
        asReceived head: Span<UInt8>, isOwnVary: Bool, to text: inout ByteBuffer
    ) -> Bool {
        var isCovered = false
        var position = head.firstIndex(of: 0x0a).map { $0 &+ 1 } ?? head.count
        text.append(head.extracting(first: position))
        while let line = StoredHead.nextLine(of: head, from: &position) {
            if let value = StoredHead.value(ofLine: line, "vary", in: head) {
                let names = head.extracting(value)
                if HeadTransform.coversAcceptEncoding(names) { isCovered = true }
                if isOwnVary, names.equals("Accept-Encoding") { continue }
            }
            text.append(head.extracting(line))
            text.append("\r\n")
        }
        return !isCovered
    }

    /// Is the length in an answer to HEAD equal to that of the stored body? Nil if it states none.
    private static func hasLength(
        of head: Span<UInt8>, _ response: borrowing ResponseHead, _ bytes: Span<UInt8>
    ) -> Bool? {
        guard let field = response.fields.first(.contentLength) else { return nil }
        guard let stored = StoredHead.field("content-length", in: head) else { return false }
        return bytes.slice(field.value).decimalSaturating() == stored.decimalSaturating()
    }

    private static func hasCoding(
        of head: Span<UInt8>, _ response: borrowing ResponseHead, _ bytes: Span<UInt8>
    ) -> Bool {
        guard let coding = coding(response.fields, bytes) else { return false }
        guard let stored = StoredHead.field("content-encoding", in: head) else { return coding == .identity }
        return Codings.named(stored) == coding
    }
}
