/// "May this entry answer this request now?"
///
/// Ages are counted in milliseconds and rounded only for output: an Age up, a time to live down, so that no
/// cache downstream takes an answer for fresher than it is.
///
/// An entry that is no longer fresh may still answer in these cases (RFC 9111 §4.2.4, RFC 5861):
///
///                            while revalidating    if the origin fails    by the client's max-stale
///     window                 stale-while-…         stale-if-error         max-stale
///     the client restricts   no                    yes                    within its max-age, no min-fresh
///       the age
///     the client: no-cache   no                    no                     no
///     softly purged          yes                   yes                    no
///     must-revalidate, proxy-revalidate, s-maxage, no-cache, `stale: never`, other rules: never

public import Bytes
internal import Settings

/// What an entry that is not a fresh hit may still be used for.
public struct StaleUse: Equatable, Sendable, BitwiseCopyable {
    public var ageSeconds: UInt32
    /// Since its freshness ended, rounded up. 0 for an entry that is fresh, or that was fresh until a soft
    /// purge.
    public var staleSeconds: UInt32
    /// May it answer at once, while one exchange revalidates it?
    public var mayWhileRevalidating = false
    /// May it answer if the origin fails or sends a 5xx?
    public var mayIfError = false
    /// May it answer because the client accepts stale answers? Only under `stale: rfc`.
    public var mayByClient = false
    /// Can the fetch be conditional?
    public var hasValidator = false
    /// Is the fetch unconditional because conditions failed before? Then the entry stored in its place keeps
    /// this mark.
    public var isFetchedWhole = false

    public init(
        ageSeconds: UInt32, staleSeconds: UInt32 = 0, mayWhileRevalidating: Bool = false,
        mayIfError: Bool = false,
        mayByClient: Bool = false, hasValidator: Bool = false
    ) {
        self.ageSeconds = ageSeconds
        self.staleSeconds = staleSeconds
        self.mayWhileRevalidating = mayWhileRevalidating
        self.mayIfError = mayIfError
        self.mayByClient = mayByClient
        self.hasValidator = hasValidator
    }
}

public enum UseVerdict: Equatable, Sendable, BitwiseCopyable {
    /// Serve it with this Age.
    case fresh(ageSeconds: UInt32, ttlSeconds: UInt32)
    /// Not fresh, softly purged, or stored under other rules: fetch. The answer may renew or replace the
    /// entry.
    case stale(StaleUse)
    /// Fresh, but the client demands a fresher answer: fetch. The answer may renew or replace the entry.
    case refresh(Reason, StaleUse)
    /// The entry must not answer this request: bypass.
    case refused(Reason)
}

extension Rules {
    /// As `use`, for a request with a plain verdict: Age and time to live of a fresh entry, nil for any other
    /// entry. Nearly every hit ends here.
    @inlinable @inline(__always)
    public func plainUse(
        _ entry: EntryFacts, now: Times, isOutdated: Bool
    ) -> (ageSeconds: UInt32, ttlSeconds: UInt32)? {
        let residence = now.milliseconds(since: entry.received)
        guard entry.fingerprint == fingerprint, residence < entry.freshForMilliseconds, !isOutdated,
            !entry.flags.contains(.alwaysRevalidate)
        else { return nil }
        let ttl = entry.freshForMilliseconds &- residence
        let age = entry.initialAgeMilliseconds &+ residence
        return (Self.seconds(roundingUp: age), UInt32(clamping: ttl / 1000))
    }

    /// - Parameter isOutdated: was the entry softly purged? Then it counts as just expired: it is stale, and
    ///   its windows are open and end at their original time. (Varnish and Fastly do the same, but let the
    ///   windows begin with the purge.) The client's `max-stale` does not apply to it.
    public func use(
        _ entry: EntryFacts, for request: RequestVerdict, now: Times, isOutdated: Bool = false
    ) -> UseVerdict {
        if request.isPlain, let fresh = plainUse(entry, now: now, isOutdated: isOutdated) {
            return .fresh(ageSeconds: fresh.ageSeconds, ttlSeconds: fresh.ttlSeconds)
        }
        if request.flags.contains(.cookie), !entry.flags.contains(.answersCookies) {
            return .refused(.cookie)
        }
        if request.flags.contains(.authorization), !entry.flags.contains(.answersAuthorized) {
            return .refused(.authorization)
        }
        // §4.2.3: current_age = corrected_initial_age + resident_time.
        let residence = now.milliseconds(since: entry.received)
        let age = entry.initialAgeMilliseconds &+ min(residence, EntryFacts.mask48)
        guard entry.fingerprint == fingerprint, residence < entry.freshForMilliseconds, !isOutdated,
            !entry.flags.contains(.alwaysRevalidate)
        else {
            return .stale(stale(entry, request, age: age, residence: residence, isOutdated: isOutdated))
        }
        let ttl = entry.freshForMilliseconds &- residence
        // An answer that left the origin less than a second ago satisfies every demand for freshness. So
        // clients cannot flood the origin through request directives.
        if request.restrictsAge, residence >= 1000, !PlantedFault.isPlanted(.ignoresClients) {
            // RFC 8246 §2: a reload (`max-age=0`) does not revalidate an immutable answer; `no-cache` does.
            let tooOld =
                request.maxAgeSeconds != RequestVerdict.unlimited
                && age > UInt64(request.maxAgeSeconds) &* 1000 && !entry.flags.contains(.immutable)
            if request.flags.contains(.noCache) || tooOld || ttl < UInt64(request.minFreshSeconds) &* 1000 {
                return .refresh(
                    .clientRefresh, stale(entry, request, age: age, residence: residence, isOutdated: false))
            }
        }
        return .fresh(
            ageSeconds: Self.seconds(roundingUp: age), ttlSeconds: UInt32(clamping: ttl / 1000))
    }

    /// Not inlined, because a fresh hit does not need it.
    @inline(never)
    private func stale(
        _ entry: EntryFacts, _ request: RequestVerdict, age: UInt64, residence: UInt64, isOutdated: Bool
    ) -> StaleUse {
        let staleness =
            residence > entry.freshForMilliseconds ? residence &- entry.freshForMilliseconds : 0
        var use = StaleUse(
            ageSeconds: Self.seconds(roundingUp: age), staleSeconds: Self.seconds(roundingUp: staleness),
            hasValidator: entry.hasValidator)
        use.isFetchedWhole = entry.flags.contains(.fetchedWhole)
        guard stale != .never, entry.fingerprint == fingerprint,
            !entry.flags.contains(.mustRevalidate), !request.flags.contains(.noCache)
        else { return use }
        use.mayWhileRevalidating =
            !request.restrictsAge && staleness < UInt64(entry.staleWhileRevalidateSeconds) &* 1000
        use.mayIfError =
            staleness < UInt64(entry.staleIfErrorSeconds) &* 1000
            || PlantedFault.isPlanted(.servesAfterErrors)
        let isYoungEnough =
            request.maxAgeSeconds == RequestVerdict.unlimited || age <= UInt64(request.maxAgeSeconds) &* 1000
        // An answer that was already stale at receipt has been stale for an unknown time: at most its age.
        let mostStale = entry.freshForMilliseconds > 0 ? staleness : age
        let isTaken =
            request.maxStaleSeconds == RequestVerdict.unlimited
            || mostStale <= UInt64(request.maxStaleSeconds) &* 1000
        use.mayByClient =
            stale == .rfc && request.maxStaleSeconds > 0 && isTaken && isYoungEnough
            && request.minFreshSeconds == 0
            && !isOutdated
        return use
    }

    @inlinable @inline(__always)
    static func seconds(roundingUp milliseconds: UInt64) -> UInt32 {
        PlantedFault.isPlanted(.forgetsAge) ? 0 : UInt32(clamping: (milliseconds &+ 999) / 1000)
    }
}
