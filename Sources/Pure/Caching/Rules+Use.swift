/// "May this entry answer this request now?"
///
/// Ages are counted in milliseconds and rounded only when shown: an Age up, a time to live down, so that
/// nobody downstream takes an answer for younger than it is.
///
/// When an entry is no longer fresh, this says what it may still do (RFC 9111 §4.2.4, RFC 5861):
///
///                            while revalidating    if the origin fails    by the client's max-stale
///     window                 stale-while-…         stale-if-error         max-stale
///     the client restricts   no                    yes                    within its max-age, no min-fresh
///       the age
///     the client: no-cache   no                    no                     no
///     softly purged          yes                   yes                    no
///     must-revalidate, proxy-revalidate, s-maxage, no-cache, `stale: never`, other rules: nothing

public import Bytes
internal import Settings

/// What may be done with an entry that does not simply answer.
public struct StaleUse: Equatable, Sendable, BitwiseCopyable {
    public var ageSeconds: UInt32
    /// Since its freshness ended, rounded up; 0 for one that is fresh, or was until a soft purge.
    public var staleSeconds: UInt32
    /// May it answer at once, while one exchange revalidates it?
    public var mayWhileRevalidating = false
    /// May it answer where the origin gives a 5xx, or no answer?
    public var mayIfError = false
    /// May it answer because the client takes stale answers? Only under `stale: rfc`.
    public var mayByClient = false
    /// Can the fetch be conditional?
    public var hasValidator = false
    /// It is not, because conditions were of no use: nor are they for what is stored in its place.
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
    /// Serve it, with this Age.
    case fresh(ageSeconds: UInt32, ttlSeconds: UInt32)
    /// No longer fresh, softly purged, or stored under other rules: fetch anew; the answer may renew or
    /// replace it.
    case stale(StaleUse)
    /// Fresh, but the client asks for fresher: fetch anew; the answer may renew or replace it.
    case refresh(Reason, StaleUse)
    /// Not for this request: bypass.
    case refused(Reason)
}

extension Rules {
    /// As `use`, where the verdict on the request is plain: Age and time to live of an entry that is fresh;
    /// nil for any other. What nearly every hit comes to.
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

    /// - Parameter isOutdated: was it purged softly? Then it is as if it had just expired, whenever that was:
    ///   stale, with the whole of its windows, which end where they would have ended. (So Varnish and Fastly
    ///   do it, but that their windows begin with the purge.) The client's `max-stale` does not reach it.
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
        // What came from the origin less than a second ago satisfies every wish for freshness: nobody hammers
        // the origin through request directives.
        if request.restrictsAge, residence >= 1000, !PlantedFault.isPlanted(.ignoresClients) {
            // RFC 8246 §2: a reload (`max-age=0`) need not ask after what does not change; no-cache does.
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

    /// Not inlined: a fresh hit has no use for it.
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
        // What was stale when it came has been so for nobody knows how long: its age at most.
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
