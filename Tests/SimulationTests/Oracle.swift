/// Judges every answer that a client gets, from what the origin meant and from RFC 9111 alone: no rule of the
/// proxy is called here.
///
///     what came out of the store    whole, of that very key and variant, fresh or allowed to be stale,
///                                   newer than every purge, shareable, and consistent with the conditions
///     what came from the origin     made for this very request, and as it was sent
import Bytes
import Caching
import HTTP

/// What is promised; each promise has a planted fault that breaks it.
enum Invariant: String {
    case whole, variant, age, fresh, purged, shared, alone, answered, condition, statistics, asked
}

struct Violation: Error, CustomStringConvertible {
    var invariant: Invariant
    var text: String
    var description: String { "\(invariant): \(text)" }
}

/// Where the proxy says that an answer came from.
enum Source: Equatable {
    /// nil: a plain hit.
    case store(Cause?)
    case origin(serial: Int)
    /// Made by the proxy.
    case local

    enum Cause: Equatable {
        /// After another's fetch, which it waited for.
        case collapsed
        /// The origin's 304 to this very request.
        case revalidated
        /// The origin failed this very request.
        case failed
    }
}

/// What has been purged, by resource; in steps, -1 for never.
struct Purges {
    var hard: [Int]
    var soft: [Int]
    /// What is older than this has been purged.
    var version: [Int]

    init(count: Int) {
        hard = Array(repeating: -1, count: count)
        soft = hard
        version = Array(repeating: 0, count: count)
    }
}

struct Oracle: ~Copyable {
    private var response = ResponseHead()
    private var expected = ByteBuffer(capacity: 1024)

    /// What the oracle knows of the world when an answer is sent.
    struct World {
        var now: Moment
        var step: Int
        var arrivedStep: Int
        var client: Int
    }

    /// - Parameter head: with the blank line.
    mutating func check(
        _ want: Want, _ bytes: borrowing ByteBuffer, _ body: Span<UInt8>, _ source: Source, _ world: World,
        _ journal: [Given], _ purges: Purges
    ) throws(Violation) {
        let head = bytes.span
        var scan = HeadScan()
        let result = response.parse(head, limits: Wire.limits, scan: &scan, requestMethod: want.method)
        guard result == .complete(head.count) else {
            throw Violation(invariant: .whole, text: "no head: \(result)")
        }
        let status = response.status
        if source == .local {
            try expect(status == 502 || status == 504, .asked, "a local \(status)")
            return
        }
        guard let serial = serial(head), serial < journal.count else {
            throw Violation(invariant: .whole, text: "an answer of nobody's")
        }
        let given = journal[serial]
        do throws(Violation) {
            try check(want, given, head, body, source, world, purges)
        } catch {
            throw Violation(
                invariant: error.invariant, text: "\(error.text)\nwanted: \(want)\ngiven: \(given)")
        }
    }

    private mutating func check(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ body: Span<UInt8>, _ source: Source,
        _ world: World,
        _ purges: Purges
    ) throws(Violation) {
        let serial = given.serial
        try expect(
            given.representation.resource == want.resource, .variant,
            "of resource \(given.representation.resource)")
        if case .origin(let own) = source {
            try expect(own == serial && given.client == world.client, .shared, "made for \(given.client)")
        } else {
            try checkStored(want, given, head, source, world, purges)
        }
        try checkContent(want, given, head, body, isPassed: source == .origin(serial: serial))
    }

    private func expect(
        _ holds: Bool, _ invariant: Invariant, _ text: @autoclosure () -> String
    ) throws(Violation) {
        if !holds { throw Violation(invariant: invariant, text: text()) }
    }

    /// The origin's own mark: `Cache-Status: origin; detail=SERIAL`.
    private func serial(_ head: Span<UInt8>) -> Int? {
        for index in 0..<response.fields.count where response.fields[index].id == .cacheStatus {
            let value = head.slice(response.fields[index].value)
            guard value.hasPrefix("origin; detail=") else { continue }
            return value.extracting(droppingFirst: 15).decimalSaturating().map { Int($0) }
        }
        return nil
    }

    // MARK: Out of the store

    private func checkStored(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ source: Source, _ world: World, _ purges: Purges
    ) throws(Violation) {
        let resource = want.resource
        let isOwn = source == .store(.revalidated) && given.client == world.client
        // Shared: what the origin forbids to share is nobody else's, and credentials need permission.
        if !isOwn {
            try expect(given.isShareable, .shared, "answer \(given.serial) is not to be shared")
        }
        let directives = given.style.directives
        try expect(
            want.user == nil || directives.permitsCookies || isOwn, .shared, "\(given.serial) for a cookie")
        try expect(
            want.bearer == nil || directives.permitsAuthorized || isOwn, .shared,
            "\(given.serial) for credentials")
        let user = given.style.varies.contains(.cookie) ? want.user ?? -1 : -1
        try expect(given.representation.user == user || isOwn, .shared, "user \(given.representation.user)'s")
        try expect(
            want.coding != .gzipOnly || given.representation.isGzip || isOwn, .variant, "identity, refused")
        try expect(!want.isNoStore, .asked, "no-store answered by the store")
        // Purged: whatever was sent for before is gone, and what is of an older version.
        let since = isOwn ? world.arrivedStep : world.step
        try expect(
            given.sentStep > purges.hard[resource] || purges.hard[resource] >= since, .purged,
            "sent for in step \(given.sentStep), purged in \(purges.hard[resource])")
        if !given.isFailure, !isOwn {
            try expect(
                given.representation.version >= purges.version[resource], .purged,
                "version \(given.representation.version) of \(purges.version[resource])")
        }
        guard let received = given.received else {
            throw Violation(invariant: .whole, text: "\(given.serial) has not come yet")
        }
        let initial = initialAge(given, received)
        let residence = world.now.since(received)
        let said = response.fields.first(.age).flatMap { head.slice($0.value).decimalSaturating() }
        let age = (initial + residence + 999) / 1000
        // A Date that the origin left out is written in whole seconds, rounded down.
        let most = age + (given.date == nil ? 1 : 0)
        try expect(
            said.map { age...most ~= Int($0) } ?? false, .age,
            "\(given.serial) is \(age) s old, it says \(said ?? 0)")
        guard !isOwn else { return }
        try checkFreshness(
            want, given, source, initial: initial, residence: residence,
            isOutdated: purges.soft[resource] >= given.sentStep)
    }

    /// RFC 9111 §4.2.3, in milliseconds: corrected_initial_age.
    private func initialAge(_ given: Given, _ received: Moment) -> Int {
        // From the end of Date's second on.
        let apparent = given.date.map { max(0, received.wall - Int($0) * 1000 - 999) } ?? 0
        let said = given.status == 304 ? 0 : (given.style.age ?? 0) * 1000
        return max(apparent, said + received.since(given.sent))
    }

    /// RFC 9111 §4.2, and what may be done beyond (§4.2.4, RFC 5861).
    private func checkFreshness(
        _ want: Want, _ given: Given, _ source: Source, initial: Int, residence: Int, isOutdated: Bool
    ) throws(Violation) {
        let directives = given.style.directives
        let age = initial + residence
        var lifetime = (directives.sharedMaxAge ?? directives.maxAge ?? given.style.expires ?? 0) * 1000
        if given.status >= 400 { lifetime = min(lifetime, initial + 10_000) }
        let left = lifetime - age
        let isFresh = left > 0 && !directives.flags.contains(.noCache) && !isOutdated
        // What is less than a second old satisfies every client.
        let isNew = residence < 1000
        let satisfies =
            isNew
            || !want.isNoCache && age <= (want.maxAge ?? .max / 1000) * 1000
                && left >= (want.minFresh ?? 0) * 1000
        // So does what came while the client waited for it.
        if isFresh, satisfies || source == .store(.collapsed) { return }
        let text =
            "answer \(given.serial) of age \(age), lifetime \(lifetime)\(isOutdated ? ", outdated" : "")"
        try expect(!directives.forbidsStale || isFresh, .fresh, text)
        let staleness = max(0, -left)
        let isFailed = source == .store(.failed)
        if isFailed, !want.isNoCache, staleness < (directives.ifError ?? 0) * 1000 || isFresh { return }
        try expect(!isFresh, .asked, "the client asks for more than \(text)")
        if !want.restrictsAge, staleness < (directives.whileRevalidating ?? 0) * 1000 { return }
        let limit = want.maxStale ?? -1
        let isTaken = limit == .max || limit > 0 && staleness <= limit * 1000
        let isYoung = !want.isNoCache && want.minFresh == nil && age <= (want.maxAge ?? .max / 1000) * 1000
        try expect(isTaken && isYoung && !isOutdated, .fresh, text)
    }

    // MARK: What it says

    private mutating func checkContent(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ body: Span<UInt8>, isPassed: Bool
    ) throws(Violation) {
        let status = response.status
        let made = given.representation
        if given.style.varies.contains(.language), !given.isFailure {
            try expect(made.language == want.language ?? 0, .variant, "language \(made.language)")
        }
        let isDerived =
            response.fields.first(.contentEncoding).map { head.slice($0.value).equals("br") } ?? false
        if made.isGzip { try expect(want.acceptsGzip, .variant, "gzip, which it does not take") }
        if isDerived {
            try expect(want.coding == .all && !made.isGzip, .variant, "br, which it does not take")
        }
        let isCut = status == 304 || status == 204 || status == 416 || want.method == .head
        try expect(!isCut || body.isEmpty, .condition, "\(status) with a body")
        switch status {
        // What the origin itself answers to a client's condition is the origin's business.
        case 304: if !isPassed || given.status != 304 { try checkNotModified(want, given) }
        case 416: try expect(want.range != nil && want.part(of: made.count) == nil, .condition, "416")
        case 206 where given.status != 206: try checkPart(want, given, head, body, isDerived: isDerived)
        case 200...: if !isCut { try checkWhole(given, body, isPassed: isPassed, isDerived: isDerived) }
        default: throw Violation(invariant: .condition, text: "status \(status)")
        }
    }

    private func checkNotModified(_ want: Want, _ given: Given) throws(Violation) {
        if let list = want.ifNoneMatch {
            let isListed = given.style.tag != .none && list.contains(given.representation.tag) || list == "*"
            try expect(isListed, .condition, "304 to \(list), but it is \(given.representation.tag)")
        } else {
            let since = want.ifModifiedSince ?? .min
            try expect(given.style.hasModified && given.representation.modified <= since, .condition, "304")
        }
    }

    private mutating func checkPart(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ body: Span<UInt8>, isDerived: Bool
    ) throws(Violation) {
        let made = given.representation
        let count = made.count + (isDerived ? 1 : 0)
        guard let part = want.part(of: count) else {
            throw Violation(invariant: .condition, text: "206, not asked for")
        }
        if let condition = want.ifRange {
            let isStrong = given.style.tag == .strong && !isDerived
            try expect(isStrong && condition == made.tag, .condition, "206 to If-Range: \(condition)")
        }
        let said = response.fields.first(.contentRange).map { head.slice($0.value).string }
        let right = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(count)"
        try expect(said == right, .condition, "\(said ?? "no Content-Range") for \(right)")
        expected.removeAll()
        if isDerived { expected.append(Job.mark) }
        made.append(to: &expected)
        let hash = XXH3.hash64(expected.span.extracting(part), seed: 0)
        try expect(hash == XXH3.hash64(body, seed: 0), .whole, "a part that is not of its whole")
    }

    private func checkWhole(
        _ given: Given, _ body: Span<UInt8>, isPassed: Bool, isDerived: Bool
    ) throws(Violation) {
        if isDerived { try expect(!body.isEmpty && body[0] == Job.mark, .whole, "not coded, as it says") }
        let body = isDerived ? body.extracting(droppingFirst: 1) : body
        var whole = given
        // The body behind a renewed head is the one that the 304 spoke of.
        if given.status == 304 { whole.status = 200 }
        let sent = Origin.body(of: whole)
        // A body that only the close ends cannot be told from a cut one; it is never stored.
        if isPassed, given.isCut, body.count < sent.count { return }
        try expect(
            sent.count == body.count && XXH3.hash64(sent.span, seed: 0) == XXH3.hash64(body, seed: 0), .whole,
            "\(body.count) bytes that answer \(given.serial) did not have")
    }
}
