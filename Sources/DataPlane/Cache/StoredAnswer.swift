internal import Bytes
package import Caching
package import Compression
internal import HTTP
internal import Settings

/// An answer from the store: its head stands in a buffer, and its body is lent by the store.
package struct StoredAnswer: ~Escapable, BitwiseCopyable {
    /// What follows the bytes in the buffer; empty where the body stands in the buffer too.
    package let body: Span<UInt8>
    /// Of the answer: 304, 206 or 416 where the stored answer has another.
    package let status: UInt16

    @_lifetime(copy body) @inline(__always)
    init(body: Span<UInt8>, status: UInt16) {
        self.body = body
        self.status = status
    }

    /// Bytes of an answer that are gathered in one run: sending several runs costs the kernel more than the
    /// copy costs Larder.
    static var gatherLimit: Int { 3584 }
}

/// What `StoreFinding` knows of an answer beside its bytes, and what is to be done behind it.
package struct HitFacts: BitwiseCopyable, Sendable {
    /// Of the entry's original.
    let serial: UInt64
    /// A coding that is to be made of the original.
    package var wanted: ContentCoding?
    package var isStale = false
    /// What the revalidation behind a stale answer may do; nil: none is wanted.
    package var refreshes: StaleUse?
}

/// What the head says of the answer's age.
package struct AnswerAge: BitwiseCopyable, Equatable, Sendable {
    var seconds: UInt32
    /// Negative for a stale answer.
    var timeToLive: Int64
}

/// A stored head and body that may answer a request.
struct StoredContent: ~Escapable, BitwiseCopyable {
    /// In the stored form (`StoredHead`).
    let head: Span<UInt8>
    let body: Span<UInt8>
    let status: UInt16
    let age: AnswerAge
    /// How it came out of the store.
    let served: CacheStatus.Served

    @_lifetime(copy head, copy body) @inline(__always)
    init(
        head: Span<UInt8>, body: Span<UInt8>, status: UInt16, _ age: AnswerAge,
        _ served: CacheStatus.Served
    ) {
        self.head = head
        self.body = body
        self.status = status
        self.age = age
        self.served = served
    }

    /// Composes the whole answer, or the 304, 206 or 416 that the request comes to; its head replaces what
    /// stands in `out`.
    @_lifetime(copy self)
    func answer(
        _ lookup: borrowing StoreLookup, by rules: borrowing Rules, _ request: borrowing RequestHead,
        into out: inout ByteBuffer
    ) -> StoredAnswer {
        out.removeAll()
        let verdict = lookup.verdict
        if verdict.flags.contains(.conditional),
            Conditional.evaluate(
                request, lookup.bytes, status: status, head: head, nowSeconds: lookup.now.wallSeconds)
                == .notModified
        {
            Conditional.appendNotModified(head: head, to: &out)
            return finish(lookup, by: rules, body: Span(), status: 304, into: &out)
        }
        if verdict.method == .head, !PlantedFault.isPlanted(.answersHeadWithBody) {
            out.append(head)
            return finish(lookup, by: rules, body: Span(), status: status, into: &out)
        }
        let outcome =
            !verdict.flags.contains(.range)
            ? .whole
            : RangeRequest.evaluate(
                request, lookup.bytes, head: head, status: status, bodyCount: body.count,
                nowSeconds: lookup.now.wallSeconds)
        switch outcome {
        case .whole:
            out.append(head)
            return finish(lookup, by: rules, body: body, status: status, into: &out)
        case .part(let range):
            StoredHead.appendPartial(head, range, of: body.count, to: &out)
            let start = PlantedFault.isPlanted(.shiftsRanges) ? 0 : range.lowerBound
            let part = body.extracting(start..<(start + range.count))
            return finish(lookup, by: rules, body: part, status: 206, into: &out)
        case .unsatisfiable:
            StoredHead.appendUnsatisfiable(head, bodyCount: body.count, to: &out)
            return finish(lookup, by: rules, body: Span(), status: 416, into: &out)
        }
    }

    /// Ends the head in `out` with the lines that differ from answer to answer.
    @_lifetime(copy body)
    private func finish(
        _ lookup: borrowing StoreLookup, by rules: borrowing Rules, body: Span<UInt8>, status: UInt16,
        into out: inout ByteBuffer
    ) -> StoredAnswer {
        out.append("Age: ")
        out.append(decimal: UInt64(age.seconds))
        out.append("\r\n")
        CacheStatus.appendHit(
            served, ttlSeconds: age.timeToLive, key: lookup.routingKey, detail: lookup.verdict.reason,
            rules.cacheStatus, to: &out)
        Worker.appendConnection(
            closing: lookup.persistence.isClosing, minorVersion: lookup.persistence.minorVersion, to: &out)
        out.append("\r\n")
        guard out.count &+ body.count <= StoredAnswer.gatherLimit else {
            return StoredAnswer(body: body, status: status)
        }
        out.append(body)
        return StoredAnswer(body: Span(), status: status)
    }
}
