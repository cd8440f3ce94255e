/// Judges every answer that a client gets, by what the origin meant and by RFC 9111 alone. No rule of the
/// proxy is called here. Where an answer comes from is what its own Cache-Status says (RFC 9211).
///
///     out of the store    whole, of that very key and variant, fresh or allowed to be stale, newer than
///                         every purge, shareable, and consistent with the conditions
///     from the origin     made for this very request, and as it was sent
import Bytes
import Compression
import HTTP

struct Oracle: ~Copyable {
    private var response = ResponseHead()
    private var expected = ByteBuffer(capacity: 1024)
    private var decoded = ByteBuffer(capacity: 1024)
    private var decoder = Decoder()!

    /// What the oracle knows of the world when an answer is read.
    struct World {
        var now: Moment
        var step: Int
        /// The answer was composed at this step or later.
        var earliest: Moment
        var earliestStep: Int
        /// The answer was composed now.
        var isExact: Bool
        var arrivedStep: Int
        /// The request's number.
        var client: Int
        /// All of the request has been sent.
        var isWhole: Bool
        /// Only the connection's end ends the answer.
        var mayBeCut: Bool
    }

    /// What an answer turned out to be.
    struct Verdict {
        var source = Source.local
        /// Of the origin's answer; -1: none.
        var serial = -1
        var status: UInt16 = 0
        var isStale = false
        /// Compressed by the worker; its gzip undone by the worker.
        var isCoded = false
        var isUndone = false
        /// Resources that the request has changed.
        var invalidated: [Int] = []
    }

    /// - Parameter bytes: the head, with the blank line.
    mutating func check(
        _ want: Want, _ bytes: borrowing ByteBuffer, _ body: Span<UInt8>, _ world: World,
        _ journal: [Given], _ purges: Purges
    ) throws(Violation) -> Verdict {
        let head = bytes.span
        var scan = HeadScan()
        let result = response.parse(head, limits: Wire.limits, scan: &scan, requestMethod: want.method)
        guard result == .complete(head.count) else {
            throw Violation(invariant: .framed, text: "no head: \(result)")
        }
        var verdict = Verdict()
        verdict.status = response.status
        let (found, source) = origins(head)
        verdict.source = source
        guard let serial = found, serial < journal.count else {
            let isExpected =
                response.status == 502 || response.status == 504
                || response.status == 408 && (!world.isWhole || want.upload != nil)
            try expect(isExpected && found == nil, .asked,
                "an answer of nobody's: \(response.status) \(body.string) to \(want)")
            return verdict
        }
        try expect(source != .local, .asked, "an answer without the worker's Cache-Status")
        verdict.serial = serial
        let given = journal[serial]
        do throws(Violation) {
            try check(want, given, head, body, world, journal, purges, &verdict)
        } catch {
            throw Violation(
                invariant: error.invariant,
                text: "\(error.text)\n\(head.string)\nwanted: \(want)\ngiven: \(given)")
        }
        return verdict
    }

    private mutating func check(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ body: Span<UInt8>, _ world: World,
        _ journal: [Given], _ purges: Purges, _ verdict: inout Verdict
    ) throws(Violation) {
        try expect(
            given.representation.resource == want.resource, .variant,
            "of resource \(given.representation.resource)")
        if verdict.source == .origin {
            try expect(given.client == world.client, .shared, "made for \(given.client)")
            noteInvalidated(want, given, head, &verdict)
        } else {
            try checkStored(want, given, head, world, journal, purges, &verdict)
        }
        try checkContent(want, given, head, body, world, &verdict)
    }

    /// An unsafe request that succeeded has changed what it names (RFC 9111 §4.4).
    private func noteInvalidated(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ verdict: inout Verdict
    ) {
        guard !want.method.isSafe, (200..<400).contains(response.status) else { return }
        verdict.invalidated = [want.resource]
        // The origin names no other.
        if response.fields.first(.location) != nil { verdict.invalidated.append(want.resource ^ 4) }
    }

    private func expect(
        _ holds: Bool, _ invariant: Invariant, _ text: @autoclosure () -> String
    ) throws(Violation) {
        if !holds { throw Violation(invariant: invariant, text: text()) }
    }

    /// The origin's own mark, `origin; detail=SERIAL`, and what the worker's line behind it says.
    private func origins(_ head: Span<UInt8>) -> (serial: Int?, source: Source) {
        var serial: Int?
        var source = Source.local
        for index in 0..<response.fields.count where response.fields[index].id == .cacheStatus {
            let value = head.slice(response.fields[index].value)
            if value.hasPrefix("origin; detail=") {
                serial = value.extracting(droppingFirst: 15).decimalSaturating().map { Int($0) }
            } else if value.hasPrefix("larder; ") {
                source = Self.source(value.string)
            }
        }
        return (serial, source)
    }

    private static func source(_ line: String) -> Source {
        if line.hasPrefix("larder; hit") { return .store(nil) }
        if line.contains("; collapsed") { return .store(.collapsed) }
        if line.contains("; fwd-status=304") { return .store(.revalidated) }
        // What comes out of the store has a lifetime; what is passed on has none.
        guard line.contains("; ttl=") else { return .origin }
        return .store(line.contains("; stored") ? .fetched : .failed)
    }

    // MARK: Out of the store

    /// Has the origin said to this request that `given` is current?
    private func confirms(_ journal: [Given], _ given: Given, _ client: Int) -> Bool {
        journal.suffix(400).contains {
            $0.client == client && $0.status == 304 && $0.representation == given.representation
        }
    }

    private func checkStored(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ world: World, _ journal: [Given],
        _ purges: Purges, _ verdict: inout Verdict
    ) throws(Violation) {
        let resource = want.resource
        let source = verdict.source
        let isOwn =
            (source == .store(.revalidated) || source == .store(.fetched)) && given.client == world.client
        // Another request's 304 may have renewed the entry before this one's own, which says the same.
        let isConfirmed = isOwn || source == .store(.revalidated) && confirms(journal, given, world.client)
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
        try expect(!want.isNoStore || source == .store(.fetched), .asked, "no-store answered by the store")
        // Purged: what was asked for before is gone, and so is what is of an older version.
        let since = isOwn ? world.arrivedStep : world.earliestStep
        let hard = purges.hard[resource]
        try expect(
            given.sentStep >= hard || hard >= since, .purged,
            "asked for in step \(given.sentStep), purged in \(hard)")
        if !given.isFailure, !isOwn, world.isExact {
            try expect(
                given.representation.version >= purges.version[resource], .purged,
                "version \(given.representation.version) of \(purges.version[resource])")
        }
        guard let received = given.received else {
            throw Violation(invariant: .whole, text: "\(given.serial) has not come yet")
        }
        let initial = initialAge(given, received)
        // Where the moment is not known, the wall clock may have been set meanwhile.
        let residence =
            world.isExact ? world.now.since(received) : max(0, world.earliest.boot - received.boot)
        let said = response.fields.first(.age).flatMap { head.slice($0.value).decimalSaturating() }
        let least = (initial + residence + 999) / 1000
        // A Date that the origin left out is written in whole seconds, rounded down.
        let most = world.isExact ? least + (given.date == nil ? 1 : 0) : .max
        try expect(
            said.map { least...most ~= Int($0) } ?? false, .age,
            "\(given.serial) is \(least) s old, it says \(said ?? 0)")
        guard !isConfirmed else { return }
        let isOutdated = purges.soft[resource] > given.sentStep && purges.soft[resource] < world.earliestStep
        try checkFreshness(
            want, given, initial: initial, residence: residence, isOutdated: isOutdated,
            isExact: world.isExact, &verdict)
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
        _ want: Want, _ given: Given, initial: Int, residence: Int, isOutdated: Bool, isExact: Bool,
        _ verdict: inout Verdict
    ) throws(Violation) {
        let source = verdict.source
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
        if isFresh, satisfies || source == .store(.collapsed) || source == .store(.fetched) { return }
        verdict.isStale = !isFresh
        let text =
            "answer \(given.serial) of age \(age), lifetime \(lifetime)\(isOutdated ? ", outdated" : "")"
        try expect(!directives.forbidsStale || isFresh, .fresh, text)
        let staleness = max(0, -left)
        let isFailed = source == .store(.failed)
        if isFailed, !want.isNoCache, staleness < (directives.ifError ?? 0) * 1000 || isFresh { return }
        try expect(!isFresh || !isExact, .asked, "the client asks for more than \(text)")
        if isFresh { return }
        if !want.restrictsAge, staleness < (directives.whileRevalidating ?? 0) * 1000 { return }
        let limit = want.maxStale ?? -1
        let isTaken = limit == .max || limit > 0 && staleness <= limit * 1000
        let isYoung = !want.isNoCache && want.minFresh == nil && age <= (want.maxAge ?? .max / 1000) * 1000
        try expect(isTaken && isYoung && !isOutdated, .fresh, text)
    }

    // MARK: What it says

    private mutating func checkContent(
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ body: Span<UInt8>, _ world: World,
        _ verdict: inout Verdict
    ) throws(Violation) {
        let status = response.status
        let made = given.representation
        if given.style.varies.contains(.language), !given.isFailure {
            try expect(made.language == want.language ?? 0, .variant, "language \(made.language)")
        }
        let isGzip = response.fields.first(.contentEncoding) != nil
        let isCut = status == 304 || status == 204 || status == 416 || want.method == .head
        verdict.isCoded = isGzip && !made.isGzip
        verdict.isUndone = !isGzip && made.isGzip && !isCut
        if isGzip { try expect(want.acceptsGzip, .variant, "gzip, which it does not take") }
        if want.coding == .gzipOnly, verdict.source != .origin, !isCut, status != 206 {
            try expect(isGzip, .variant, "identity, refused")
        }
        try expect(!isCut || body.isEmpty, .condition, "\(status) with a body")
        let isPassed = verdict.source == .origin
        switch status {
        // What the origin itself answers to a client's condition is the origin's business.
        case 304: if !isPassed || given.status != 304 { try checkNotModified(want, given) }
        case 416: try expect(want.range != nil, .condition, "416")
        case 206 where given.status != 206: try checkPart(want, given, head, body, verdict)
        case 200...: if !isCut { try checkWhole(given, body, isPassed: isPassed, world, verdict) }
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
        _ want: Want, _ given: Given, _ head: Span<UInt8>, _ body: Span<UInt8>, _ verdict: Verdict
    ) throws(Violation) {
        let made = given.representation
        let said = response.fields.first(.contentRange).map { head.slice($0.value).string } ?? ""
        // Only the worker knows how long its own coding of a body is.
        let codedCount = said.split(separator: "/").last.flatMap { Int($0) } ?? 0
        let count = verdict.isCoded ? codedCount : verdict.isUndone ? made.count : made.codedCount
        guard let part = want.part(of: count) else {
            throw Violation(invariant: .condition, text: "206, not asked for")
        }
        if let condition = want.ifRange {
            let isStrong = given.style.tag == .strong && !verdict.isCoded && !verdict.isUndone
            try expect(isStrong && condition == made.tag, .condition, "206 to If-Range: \(condition)")
        }
        let right = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(count)"
        try expect(said == right, .condition, "\(said) for \(right)")
        try expect(body.count == part.count, .whole, "\(body.count) bytes of \(part.count)")
        if verdict.isCoded { return }
        expected.removeAll()
        if verdict.isUndone { made.append(to: &expected) } else { made.appendCoded(to: &expected) }
        try expect(
            expected.span.extracting(part).equals(body), .whole, "a part that is not of its whole")
    }

    private mutating func checkWhole(
        _ given: Given, _ body: Span<UInt8>, isPassed: Bool, _ world: World, _ verdict: Verdict
    ) throws(Violation) {
        var whole = given
        // The body behind a renewed head is the one that the 304 spoke of.
        if given.status == 304 { whole.status = 200 }
        expected.removeAll()
        if verdict.isUndone {
            if whole.status != 204 { whole.representation.append(to: &expected) }
        } else {
            expected.append(Origin.body(of: whole).span)
        }
        if verdict.isCoded {
            decoded.removeAll()
            decoder.reset()
            var offset = 0
            let step = decoder.decode(body, from: &offset, into: &decoded, atMost: 1 << 20)
            try expect(step == .end, .whole, "gzip that is none: \(step)")
            try compare(decoded.span, given, isPassed: isPassed, world)
        } else {
            try compare(body, given, isPassed: isPassed, world)
        }
    }

    private func compare(
        _ body: Span<UInt8>, _ given: Given, isPassed: Bool, _ world: World
    ) throws(Violation) {
        // A body that only a close ends cannot be told from a cut one. The worker never stores it.
        let mayBeCut = world.mayBeCut || isPassed && given.isCut
        if mayBeCut, body.count < expected.count {
            let isStart = expected.span.extracting(first: body.count).equals(body)
            try expect(isStart, .whole, "another beginning than that of answer \(given.serial)")
            return
        }
        try expect(
            expected.span.equals(body), .whole,
            "\(body.count) bytes that answer \(given.serial) did not have, but \(expected.count) others")
    }
}
