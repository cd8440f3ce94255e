/// Freshness lifetime (RFC 9111 §4.2.1), heuristics (§4.2.2) and age (§4.2.3) of an answer, in milliseconds.
///
/// All values stay far below 64 bits: seconds are at most 2³¹, and dates lie within the years 0 to 9999.

internal import Bytes
public import HTTP
internal import Settings

/// The inputs and steps of the freshness calculation. Serving keeps only the first and the last value;
/// `explain` shows all of them.
public struct Timing: BitwiseCopyable, Sendable, Equatable {
    /// What states the lifetime.
    public enum Source: BitwiseCopyable, Sendable, Equatable {
        /// Nothing states it, or nothing reliable does.
        case none
        case sharedMaxAge, maxAge, expires, heuristic
    }

    /// When the head was complete (`now`), by the wall clock, since the Unix epoch.
    public var received: Int64 = 0
    /// `date_value`, since the Unix epoch; the time of receipt if there is no Date.
    public var date: Int64 = 0
    public var hasDate = false
    /// `apparent_age` = max(0, now − the end of date_value's second). Date is in whole seconds, and the
    /// answer may have been made at the end of that second. In whole seconds, the result is the one of RFC
    /// 9111.
    public var apparentAge: Int64 = 0
    /// `age_value`.
    public var ageValue: Int64 = 0
    /// `response_delay` = response_time − request_time.
    public var responseDelay: Int64 = 0
    /// `corrected_age_value` = age_value + response_delay.
    public var correctedAgeValue: Int64 = 0
    /// `corrected_initial_age` = max(apparent_age, corrected_age_value).
    public var initialAge: Int64 = 0
    public var source = Source.none
    /// The field that contains the directive.
    public var field = FieldName.cacheControl
    /// `freshness_lifetime`; may be negative (Expires before Date). Nil if no lifetime can be read.
    public var lifetime: Int64?
    /// The longest time that an entry may stay fresh: by the policy, or by the limit for statuses from 400
    /// on.
    public var cap: Int64 = 0
    /// min(lifetime − initial age, cap): how long the entry stays fresh from receipt on. Nil if there is no
    /// lifetime, or if Date or Age is not reliable.
    public var remaining: Int64?
    /// The shortest lifetime that is stored. It is compared with the age in whole seconds, as HTTP states it,
    /// so that the fraction of a second that an answer needs for transfer does not refuse `max-age=1`.
    public var minimum: Int64 = 0
    /// How long after `remaining` the entry may be served while it is revalidated (RFC 5861 §3).
    public var staleWhileRevalidate: Int64 = 0
    /// How long after `remaining` the entry may be served if the origin fails (RFC 5861 §4).
    public var staleIfError: Int64 = 0

    public init() {}
}

extension Rules {
    /// Date plus Age may differ from the clock by this much.
    static var clockToleranceMilliseconds: Int64 { 86_400_000 }

    /// Fills `timing` and evaluates the rules on it.
    /// - Parameters:
    ///   - mayGuess: does the request allow a heuristic lifetime?
    ///   - mayKeepStale: may it be stored for revalidation only, without being fresh?
    /// - Returns: does the walk end here?
    func walkFreshness<F: Findings>(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        mayGuess: Bool, mayKeepStale: Bool, sent: Times, received: Times, _ timing: inout Timing,
        _ findings: inout F
    ) -> Bool {
        timing.received = Int64(clamping: received.wallMilliseconds)
        timing.date = timing.received
        let date = readDate(response.fields, bytes, received)
        if case .valid(let seconds) = date {
            timing.date = seconds &* 1000
            timing.hasDate = true
        }
        if findings.record(.date, date == .invalid ? .date : nil) { return true }
        let age = readAge(response.fields, bytes)
        if findings.record(.age, age == nil ? .age : nil) { return true }
        timing.ageValue = Int64(age ?? 0) &* 1000
        if date != .invalid, age != nil {
            // A Varnish tier keeps the origin's Date, so an old Date is correct if Age agrees with it.
            let difference = abs(timing.received &- timing.date &- timing.ageValue)
            let isFar = difference > Self.clockToleranceMilliseconds
            if findings.record(.clock, isFar ? .date : nil) { return true }
        } else {
            findings.skip(.clock)
        }

        timing.apparentAge = Self.apparentAge(date: timing.date, received: timing.received)
        timing.responseDelay = Int64(clamping: received.milliseconds(since: sent))
        timing.correctedAgeValue = timing.ageValue &+ timing.responseDelay
        timing.initialAge = max(timing.apparentAge, timing.correctedAgeValue)

        let refusal = readLifetime(
            of: response, bytes, directives, mayGuess: mayGuess, received, &timing)
        // A part that cannot be read may contain a prohibition.
        let mayKeepStale = mayKeepStale && (!directives.isMalformed || reading == .rfc)
        // §3: something must permit storing.
        let isStorable =
            timing.source != .none || Self.isHeuristic(response.status) || directives.flags.contains(.public)
        if refusal != nil, mayKeepStale, isStorable {
            findings.postpone(.lifetime)
        } else if findings.record(.lifetime, refusal) {
            return true
        }
        timing.cap = maxAgeMilliseconds
        if response.status >= 400 { timing.cap = min(timing.cap, Self.errorLifetimeMilliseconds) }
        timing.minimum = minAgeMilliseconds
        if response.status < 400 {
            timing.staleWhileRevalidate = Int64(directives.window(directives.staleWhileRevalidate)) &* 1000
            timing.staleIfError = Int64(directives.window(directives.staleIfError)) &* 1000
        }
        guard let lifetime = timing.lifetime, date != .invalid, age != nil else {
            findings.skip(.remaining)
            return false
        }
        let remaining = min(lifetime &- timing.initialAge, timing.cap)
        timing.remaining = remaining
        let wholeAge = timing.initialAge / 1000 &* 1000
        let isEnough = remaining > 0 && min(lifetime &- wholeAge, timing.cap) >= timing.minimum
        if !isEnough, mayKeepStale {
            findings.postpone(.remaining)
            return false
        }
        return findings.record(.remaining, isEnough ? nil : .expired)
    }

    /// Milliseconds from the last millisecond of Date's second to `received`.
    private static func apparentAge(date: Int64, received: Int64) -> Int64 { max(0, received &- date &- 999) }

    /// Will the next answer to any client be refused, too? For `expired`, only if the stated lifetime is too
    /// short: an answer that grew too old during transfer says nothing about the next answer.
    ///
    /// - Parameters: as for `judge`, which refused the answer for `refusal`.
    public func isLasting(
        _ refusal: Reason, of response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        to request: RequestVerdict, sent: Times, received: Times
    ) -> Bool {
        guard refusal == .expired else { return refusal.dependsOnlyOnResponse }
        var timing = Timing()
        var first = FirstRefusal()
        _ = walk(response, bytes, to: request, sent: sent, received: received, &timing, &first)
        // An Expires that is not a date always means the past.
        guard let lifetime = timing.lifetime else { return true }
        return lifetime <= 0 || lifetime < timing.minimum
    }

    /// Reads the lifetime: `s-maxage`, or `max-age`, or Expires − Date, or heuristics, in this order. A
    /// stated but unreadable lifetime counts as stale.
    /// - Returns: the reason if there is no lifetime.
    private func readLifetime(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        mayGuess: Bool, _ received: Times, _ timing: inout Timing
    ) -> Reason? {
        timing.field = directives.field
        if directives.isMalformed, reading == .strict { return .noFreshness }
        if directives.sharedMaxAge != .absent {
            return take(directives.sharedMaxAge, .sharedMaxAge, &timing)
        }
        if directives.maxAge != .absent { return take(directives.maxAge, .maxAge, &timing) }
        if !directives.isTargeted, let expires = response.fields.first(.expires) {
            timing.source = .expires
            timing.field = .expires
            // A repeated Expires, or one that is not a date, means the past.
            guard !response.fields.isRepeated(.expires),
                let seconds = HTTPDate.parse(bytes.slice(expires.value), now: received.wallSeconds)
            else { return .expired }
            timing.lifetime = seconds &* 1000 &- timing.date
            return nil
        }
        guard mayGuess || reading == .rfc else { return .noFreshness }
        return guessLifetime(of: response, bytes, directives, received, &timing)
    }

    /// The policy's share of Date − Last-Modified (§4.2.2). Used if no lifetime is stated, and the status is
    /// heuristically cacheable or the answer is `public`.
    ///
    /// A URL with a query mostly names a dynamic page, whose Last-Modified says little about the next one. So
    /// only `reading: rfc` guesses for such a URL, as §4.2.2 allows.
    private func guessLifetime(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ directives: CacheDirectives,
        _ received: Times, _ timing: inout Timing
    ) -> Reason? {
        guard heuristicPercent > 0, Self.isHeuristic(response.status) || directives.flags.contains(.public),
            !response.fields.isRepeated(.lastModified), let field = response.fields.first(.lastModified),
            let modified = HTTPDate.parse(bytes.slice(field.value), now: received.wallSeconds)
        else { return .noFreshness }
        timing.source = .heuristic
        timing.field = .lastModified
        timing.lifetime = max(0, timing.date &- modified &* 1000) / 100 &* heuristicPercent
        return nil
    }

    private func take(
        _ stated: CacheDirectives.Lifetime, _ source: Timing.Source, _ timing: inout Timing
    ) -> Reason? {
        timing.source = source
        guard let seconds = stated.seconds else { return .noFreshness }
        timing.lifetime = Int64(seconds) &* 1000
        return nil
    }

    /// Statuses that are heuristically cacheable (RFC 9110 §15.1).
    private static func isHeuristic(_ status: UInt16) -> Bool {
        switch status {
        case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501: true
        default: false
        }
    }

    /// `corrected_initial_age` (§4.2.3) in milliseconds, for an answer that was refused before its freshness
    /// was calculated. A Date or Age that cannot be read is ignored.
    func initialAge(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, sent: Times, received: Times
    ) -> UInt64 {
        var apparent: Int64 = 0
        if case .valid(let seconds) = readDate(response.fields, bytes, received) {
            apparent = Self.apparentAge(
                date: seconds &* 1000, received: Int64(clamping: received.wallMilliseconds))
        }
        let age = UInt64(readAge(response.fields, bytes) ?? 0) &* 1000
        return max(UInt64(apparent), age &+ min(received.milliseconds(since: sent), 1 << 48))
    }

    private enum DateVerdict: Equatable {
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

    /// Age in seconds; 0 if absent, nil if unreliable. `reading: rfc` uses the first of several values and
    /// ignores an invalid one (RFC 9111 §5.1).
    func readAge(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> UInt32? {
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
