/// "May this entry answer this request now?"
///
/// Ages are counted in milliseconds and rounded only when shown: an Age up, a time to live down, so that
/// nobody downstream takes an answer for younger than it is.

public enum UseVerdict: Equatable, Sendable, BitwiseCopyable {
    /// Serve it, with this Age.
    case fresh(ageSeconds: UInt32, ttlSeconds: UInt32)
    /// No longer fresh, or stored under other rules: fetch anew; the answer may replace it.
    case stale(ageSeconds: UInt32)
    /// Fresh, but the client asks for fresher: fetch anew; the answer may replace it.
    case refresh(Reason)
    /// Not for this request: bypass.
    case refused(Reason)
}

extension Rules {
    public func use(_ entry: EntryFacts, for request: RequestVerdict, now: Times) -> UseVerdict {
        if request.flags.contains(.cookie), !entry.flags.contains(.answersCookies) {
            return .refused(.cookie)
        }
        if request.flags.contains(.authorization), !entry.flags.contains(.answersAuthorized) {
            return .refused(.authorization)
        }
        // §4.2.3: current_age = corrected_initial_age + resident_time.
        let residence = now.milliseconds(since: entry.received)
        let age = entry.initialAgeMilliseconds &+ min(residence, EntryFacts.mask48)
        let ageSeconds = Self.seconds(roundingUp: age)
        guard entry.fingerprint == fingerprint, residence < entry.freshForMilliseconds else {
            return .stale(ageSeconds: ageSeconds)
        }
        let ttl = entry.freshForMilliseconds &- residence
        // What came from the origin less than a second ago satisfies every wish for freshness: nobody hammers
        // the origin through request directives.
        if request.restrictsAge, residence >= 1000 {
            let tooOld =
                request.maxAgeSeconds != RequestVerdict.unlimited
                && age > UInt64(request.maxAgeSeconds) &* 1000
            if request.flags.contains(.noCache) || tooOld || ttl < UInt64(request.minFreshSeconds) &* 1000 {
                return .refresh(.clientRefresh)
            }
        }
        return .fresh(ageSeconds: ageSeconds, ttlSeconds: UInt32(clamping: ttl / 1000))
    }

    static func seconds(roundingUp milliseconds: UInt64) -> UInt32 {
        UInt32(clamping: (milliseconds &+ 999) / 1000)
    }
}
