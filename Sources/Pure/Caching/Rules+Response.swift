/// "May this answer be stored?" (the table of that name), decided from the head as received.
///
/// Reasons that need the body are the caller's: `.tooLarge` beyond `maxBodyBytes`, `.incomplete`,
/// `.trailers`. `StoredHead` reports `.headTooLarge`; the store reports `.invalidated` and `.pressure`.

internal import Bytes
public import HTTP
internal import Settings

public enum StoreVerdict: Equatable, Sendable {
    case store(EntryFacts)
    case refuse(Reason)
}

extension Rules {
    /// - Parameters:
    ///   - bytes: the buffer that `response` was parsed from.
    ///   - request: the verdict on the answered request.
    ///   - sent: when the request was sent to the origin.
    ///   - received: when the head was complete.
    public func judge(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: RequestVerdict, sent: Times,
        received: Times
    ) -> StoreVerdict {
        var first = FirstRefusal()
        var timing = Timing()
        let facts = walk(response, bytes, to: request, sent: sent, received: received, &timing, &first)
        if let reason = first.reason {
            guard PlantedFault.isPlanted(.storesEverything), request.mayStore else { return .refuse(reason) }
            return .store(
                EntryFacts(
                    received: received, initialAgeMilliseconds: 0, freshForMilliseconds: 60_000,
                    status: response.status, coding: .identity,
                    flags: [.answersCookies, .answersAuthorized], fingerprint: fingerprint))
        }
        return .store(facts)
    }

    /// Evaluates the table, row by row.
    /// - Parameter timing: gets the values that freshness is computed from.
    /// - Returns: the facts of the entry; meaningful only if no rule refused.
    func walk<F: Findings>(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: RequestVerdict, sent: Times,
        received: Times, _ timing: inout Timing, _ findings: inout F
    ) -> EntryFacts {
        var facts = EntryFacts(
            received: received, initialAgeMilliseconds: 0, freshForMilliseconds: 0, status: response.status,
            coding: .identity, flags: .none, fingerprint: fingerprint)
        if findings.record(.request, request.mayStore ? nil : request.reason ?? .method) { return facts }
        if findings.record(.status, statuses.contains(response.status) ? nil : .status) { return facts }
        let setsCookie = response.fields.contains(.setCookie)
        if findings.record(.setCookie, setsCookie ? .setCookie : nil) { return facts }

        let directives =
            TargetedField.directives(response.fields, bytes, reading)
            ?? CacheDirectives(cacheControl: response.fields, bytes, reading)
        if walkProhibitions(directives, of: response, &findings) { return facts }
        walk(
            response, bytes, directives, to: request, sent: sent, received: received, &timing, &findings,
            &facts)
        return facts
    }

    /// Evaluates the rows behind the prohibitions. A function of its own, because most answers that are only
    /// passed on end before it.
    @inline(never)
    private func walk<F: Findings>(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        to request: RequestVerdict, sent: Times, received: Times, _ timing: inout Timing, _ findings: inout F,
        _ facts: inout EntryFacts
    ) {
        let validators = Self.validators(of: response, bytes, received)
        let mayKeepStale = noCache == .revalidate && !validators.isEmpty && 200..<300 ~= response.status
        // RFC 9111 gives Pragma in responses no meaning, but servers that send it mean no-cache.
        let pragma =
            !directives.isTargeted && reading == .strict && Pragma.isNoCache(response.fields, bytes)
        let ended = walkDirectives(
            directives, pragma: pragma, mayKeepStale: mayKeepStale, to: request, &findings)
        if ended { return }
        let varies = walkVary(of: response, bytes, &findings)
        guard let varies else { return }
        let coding = Self.coding(response.fields, bytes)
        if findings.record(.contentEncoding, coding == nil ? .encoding : nil) { return }
        if walkShape(of: response, &findings) { return }
        let ends = walkFreshness(
            of: response, bytes, directives, mayGuess: !request.flags.contains(.query),
            mayKeepStale: mayKeepStale, sent: sent, received: received, &timing, &findings)
        if ends { return }

        facts.coding = coding ?? .identity
        facts.initialAgeMilliseconds = UInt64(timing.initialAge)
        facts.freshForMilliseconds = UInt64(clamping: timing.remaining ?? 0)
        if directives.mayAnswerCookies || cookies == .strip { facts.flags.insert(.answersCookies) }
        if directives.mayAnswerAuthorized { facts.flags.insert(.answersAuthorized) }
        if directives.forbidsStale || pragma { facts.flags.insert(.mustRevalidate) }
        if directives.flags.contains(.noCache) || pragma { facts.flags.insert(.alwaysRevalidate) }
        if directives.flags.contains(.immutable) { facts.flags.insert(.immutable) }
        facts.flags.formUnion(validators)
        // An answer that was already stale at receipt has used up a part of its windows.
        let overdue = max(0, 0 &- (timing.remaining ?? 0 &- timing.initialAge))
        facts.staleWhileRevalidateSeconds = UInt32(max(0, timing.staleWhileRevalidate &- overdue) / 1000)
        facts.staleIfErrorSeconds = UInt32(max(0, timing.staleIfError &- overdue) / 1000)
        if varies { facts.flags.insert(.varies) }
        if facts.coding != .identity {
            noteCoding(of: response, bytes, to: request, &facts)
        } else if compression.isCompressible(response, bytes) {
            facts.flags.insert(.compressible)
        }
    }

    /// Evaluates the prohibitions, which count whatever permissions the answer has.
    /// - Returns: does the walk end here?
    @inline(__always)
    private func walkProhibitions<F: Findings>(
        _ directives: CacheDirectives, of response: borrowing ResponseHead, _ findings: inout F
    ) -> Bool {
        let flags = directives.flags
        let isUnderstood = Self.understands(response.status)
        if flags.contains(.mustUnderstand) {
            if findings.record(.mustUnderstand, isUnderstood ? nil : .status) { return true }
        } else {
            findings.skip(.mustUnderstand)
        }
        // §5.2.2.3: no-store beside must-understand is meant for caches that do not know must-understand or
        // the status.
        let isLifted = reading == .rfc && flags.contains(.liftsNoStore) && isUnderstood
        if findings.record(.noStore, flags.contains(.noStore) && !isLifted ? .noStore : nil) { return true }
        return findings.record(.private, flags.contains(.private) ? .private : nil)
    }

    /// Evaluates the rules that forbid storing without revalidation, and the permissions that answers to
    /// cookies and credentials need.
    /// - Returns: does the walk end here?
    private func walkDirectives<F: Findings>(
        _ directives: CacheDirectives, pragma: Bool, mayKeepStale: Bool, to request: RequestVerdict,
        _ findings: inout F
    ) -> Bool {
        let flags = directives.flags
        if flags.contains(.noCache), mayKeepStale {
            findings.postpone(.noCache)
        } else if findings.record(.noCache, flags.contains(.noCache) ? .noCache : nil) {
            return true
        }
        if directives.isTargeted || reading == .rfc {
            findings.skip(.pragma)
        } else if pragma, mayKeepStale {
            findings.postpone(.pragma)
        } else if findings.record(.pragma, pragma ? .noCache : nil) {
            return true
        }
        if request.flags.contains(.authorization) {
            let permits = directives.mayAnswerAuthorized
            if findings.record(.authorization, permits ? nil : .authorization) { return true }
        } else {
            findings.skip(.authorization)
        }
        if request.flags.contains(.cookie) {
            return findings.record(.cookie, directives.mayAnswerCookies ? nil : .cookie)
        }
        findings.skip(.cookie)
        return false
    }

    /// - Returns: must requests be compared by value? Nil if the walk ends here.
    private func walkVary<F: Findings>(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ findings: inout F
    ) -> Bool? {
        let varies = variesByValue(response.fields, bytes)
        return findings.record(.vary, varies == nil ? .vary : nil) ? nil : varies ?? false
    }

    /// Evaluates the rules on the form of the message.
    /// - Returns: does the walk end here?
    private func walkShape<F: Findings>(of response: borrowing ResponseHead, _ findings: inout F) -> Bool {
        // `reading: rfc` ignores Content-Range in a status other than 206 (RFC 9110 §14.4). A 206 is never
        // stored.
        let isPart = response.fields.contains(.contentRange) && reading == .strict
        if findings.record(.contentRange, isPart ? .range : nil) { return true }
        if findings.record(.trailer, response.fields.contains(.trailer) ? .trailers : nil) { return true }
        if findings.record(.connection, response.connection.other ? .connection : nil) { return true }
        if case .length(let count) = response.framing {
            if findings.record(.length, count > UInt64(maxBodyBytes) ? .tooLarge : nil) { return true }
        } else {
            findings.skip(.length)
        }
        return findings.record(.delimited, response.framing == .untilClose ? .incomplete : nil)
    }

    /// The validators that a revalidation can use: a valid ETag, and a Last-Modified that is a date. A
    /// repeated field does not count.
    @inline(__always)
    private static func validators(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ received: Times
    ) -> EntryFacts.Flags {
        guard response.fields.containsAny(of: FieldSet(.etag).with(.lastModified)) else { return .none }
        return readValidators(of: response, bytes, received)
    }

    private static func readValidators(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ received: Times
    ) -> EntryFacts.Flags {
        var flags = EntryFacts.Flags.none
        if let field = response.fields.first(.etag), !response.fields.isRepeated(.etag),
            EntityTag.opaqueRange(of: bytes.slice(field.value)) != nil
        {
            flags.insert(.hasEntityTag)
        }
        if let field = response.fields.first(.lastModified), !response.fields.isRepeated(.lastModified),
            HTTPDate.parse(bytes.slice(field.value), now: received.wallSeconds) != nil
        {
            flags.insert(.hasLastModified)
        }
        return flags
    }

    /// Statuses whose caching requirements Larder implements (RFC 9110 §15).
    private static func understands(_ status: UInt16) -> Bool {
        switch status {
        case 200...205, 300...303, 305, 307, 308, 402...405, 409, 410, 418, 422, 500...505: true
        default: false
        }
    }

    /// Does an answer with these facts reach some requests in another coding, compressed or decoded?
    public static func variesByCoding(_ facts: EntryFacts) -> Bool {
        !facts.flags.isDisjoint(with: [.compressible, .undoable])
    }

    /// The single coding of a body; nil if it is unknown, repeated or empty.
    public static func coding(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Codings? {
        guard let field = fields.first(.contentEncoding) else { return .identity }
        guard !fields.isRepeated(.contentEncoding), let coding = Codings.named(bytes.slice(field.value)),
            coding != .identity
        else { return nil }
        return coding
    }
}
