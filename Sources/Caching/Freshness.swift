/// Freshness lifetime (RFC 9111 §4.2.1), heuristics (§4.2.2) and age (§4.2.3) of an answer, in milliseconds.
///
/// Everything saturates far inside 64 bits: seconds are at most 2³¹ and dates lie within the years 0 to 9999.

internal import Bytes
internal import HTTP
internal import Settings

/// What the fields about time say; refused where they cannot be trusted.
struct Freshness {
    /// `corrected_initial_age`.
    var initialAgeMilliseconds: Int64
    var lifetimeMilliseconds: Int64
}

enum FreshnessVerdict {
    case known(Freshness)
    case refused(Reason)
}

extension Rules {
    /// Date plus Age may differ this much from the clock.
    static var clockToleranceMilliseconds: Int64 { 86_400_000 }

    /// - Parameter mayGuess: may a heuristic lifetime be taken, as far as the request goes?
    func freshness(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        isTargeted: Bool, mayGuess: Bool, sent: Times, received: Times
    ) -> FreshnessVerdict {
        let now = Int64(clamping: received.wallMilliseconds)
        let date: Int64
        switch readDate(response.fields, bytes, received) {
        case .valid(let seconds): date = seconds &* 1000
        case .absent: date = now
        case .invalid: return .refused(.date)
        }
        guard let ageSeconds = readAge(response.fields, bytes) else { return .refused(.age) }
        let ageValue = Int64(ageSeconds) &* 1000
        // A Varnish tier keeps the origin's Date, so an old Date is right if Age says as much.
        guard abs(now &- date &- ageValue) <= Self.clockToleranceMilliseconds else { return .refused(.date) }

        let apparentAge = max(0, now &- date)
        let responseDelay = Int64(clamping: received.milliseconds(since: sent))
        let initialAge = max(apparentAge, ageValue &+ responseDelay)

        let lifetime: Int64
        switch statedLifetime(of: response, bytes, directives, isTargeted: isTargeted, date: date, received) {
        case .known(let milliseconds): lifetime = milliseconds
        case .refused(let reason): return .refused(reason)
        case .absent:
            guard mayGuess || reading == .rfc,
                let guess = heuristicLifetime(of: response, bytes, directives, date: date, received)
            else { return .refused(.noFreshness) }
            lifetime = guess
        }
        return .known(Freshness(initialAgeMilliseconds: initialAge, lifetimeMilliseconds: lifetime))
    }

    private enum LifetimeVerdict {
        case known(Int64)
        case absent
        case refused(Reason)
    }

    /// `s-maxage`, else `max-age`, else Expires − Date; what is stated but unreadable is stale.
    private func statedLifetime(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        isTargeted: Bool, date: Int64, _ received: Times
    ) -> LifetimeVerdict {
        if directives.isMalformed, reading == .strict { return .refused(.noFreshness) }
        switch directives.sharedMaxAge {
        case .seconds(let seconds): return .known(Int64(seconds) &* 1000)
        case .invalid: return .refused(.noFreshness)
        case .absent: break
        }
        switch directives.maxAge {
        case .seconds(let seconds): return .known(Int64(seconds) &* 1000)
        case .invalid: return .refused(.noFreshness)
        case .absent: break
        }
        if !isTargeted, let expires = response.fields.first(.expires) {
            // Two of them, or no date, is the past.
            guard !response.fields.isRepeated(.expires),
                let seconds = HTTPDate.parse(bytes.slice(expires.value), now: received.wallSeconds)
            else { return .refused(.expired) }
            return .known(seconds &* 1000 &- date)
        }
        return .absent
    }

    /// The policy's share of Date − Last-Modified (§4.2.2), where nothing is stated and the status is
    /// heuristically cacheable or the answer `public`; nil where there is none.
    ///
    /// A query mostly means a page made for the occasion, whose Last-Modified says little about the next:
    /// only `reading: rfc` guesses there too, as §4.2.2 allows.
    private func heuristicLifetime(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        date: Int64, _ received: Times
    ) -> Int64? {
        guard heuristicPercent > 0, Self.isHeuristic(response.status) || directives.flags.contains(.public),
            !response.fields.isRepeated(.lastModified), let field = response.fields.first(.lastModified),
            let modified = HTTPDate.parse(bytes.slice(field.value), now: received.wallSeconds)
        else { return nil }
        return max(0, date &- modified &* 1000) / 100 &* heuristicPercent
    }

    /// Statuses that RFC 9110 §15.1 calls heuristically cacheable.
    private static func isHeuristic(_ status: UInt16) -> Bool {
        switch status {
        case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501: true
        default: false
        }
    }

    private enum DateVerdict {
        case absent, invalid
        case valid(Int64)
    }

    private func readDate(
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>, _ received: Times
    )
        -> DateVerdict
    {
        guard let field = fields.first(.date) else { return .absent }
        guard !fields.isRepeated(.date),
            let seconds = HTTPDate.parse(bytes.slice(field.value), now: received.wallSeconds)
        else { return .invalid }
        return .valid(seconds)
    }

    /// Age in seconds, 0 where absent; nil where it cannot be trusted. `reading: rfc` takes the first of
    /// several and ignores an invalid one (RFC 9111 §5.1).
    private func readAge(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> UInt32? {
        guard let field = fields.first(.age) else { return 0 }
        var value = bytes.slice(field.value)
        if reading == .rfc, let comma = value.firstIndex(of: UInt8(ascii: ",")) {
            value = value.extracting(first: comma).trimmed()
        }
        guard let number = value.decimalSaturating(), reading == .rfc || !fields.isRepeated(.age) else {
            return reading == .rfc ? 0 : nil
        }
        return UInt32(min(number, 1 << 31))
    }
}
