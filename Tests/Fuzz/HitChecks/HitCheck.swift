/// The short way of a hit (`PlainHit`) answers with the very bytes of the general way (`StoreFinding`), or
/// declines and writes nothing, whatever the store holds and whatever is asked.
import Bytes
import Caching
import Configuration
import DataPlane
import HTTP
public import Settings
import Store

/// A store, and the rules of each shipped policy with each form of Cache-Status.
public struct HitCheck: ~Copyable {
    public enum Outcome: Sendable, Equatable {
        /// Nothing answers: the request is no lookup, or goes to an origin.
        case unanswered
        /// The general way alone answers.
        case general
        /// Both answer.
        case plain
    }

    public struct Result: Sendable {
        public var outcome = Outcome.unanswered
        /// What is wrong.
        public var breach: String?
    }

    public let policies: [Policy]
    private var store: StoreThread
    private var rules: [Rules] = []
    private var bans = 0
    private var request = RequestHead()
    private var asked = RequestHead()
    private var response = ResponseHead()
    private var key = ByteBuffer()
    private var vary = ByteBuffer()
    private var head = ByteBuffer()
    private var plain = ByteBuffer()
    private var general = ByteBuffer()

    private static let now = Times(wallMilliseconds: 1_800_000_000_000, bootMilliseconds: 5_000_000_000)
    private static let limits = HeadLimits(head: 16 * 1024, fields: 64)
    private static let gatherLimit = 3584

    public init() {
        do {
            policies = try ConfigurationFile.policies(
                inFolder: "/none", shownFolder: "none", files: .memory([:])
            ).map(\.policy)
        } catch { preconditionFailure("\(error)") }
        store = Self.makeStore()
        for policy in policies {
            for form in Policy.CacheStatus.allCases {
                var policy = policy
                policy.serve.cacheStatus = form
                rules.append(Rules(policy: policy, upstream: "origin"))
            }
        }
    }

    /// In its bans a byte of 1 takes every record, and any other none.
    private static func makeStore() -> StoreThread {
        let bans = BanRules(matches: { ban, _, _ in ban[0] == 1 })
        do {
            let store = try Store.create(
                StoreOptions(memory: 4 << 20, rows: 2, segmentBytes: 64 << 10), bans: bans)
            if let row = store.row() { return row }
        } catch { preconditionFailure("\(error)") }
        preconditionFailure("a new store has no row")
    }

    /// The case that `bytes` choose. A breach traps.
    public mutating func check(bytes: Span<UInt8>) {
        var choices = Choices(bytes)
        let hitCase = HitCase(&choices, policies: policies.count)
        if let breach = check(hitCase).breach { preconditionFailure("\(breach)\n\(hitCase)") }
    }

    public mutating func check(_ hitCase: HitCase) -> Result {
        let bytes = hitCase.requestBytes
        var scan = HeadScan()
        guard case .complete(let count) = request.parse(bytes.span, limits: Self.limits, scan: &scan) else {
            return Result()
        }
        let rules = rules[
            hitCase.policy * Policy.CacheStatus.allCases.count
                + Policy.CacheStatus.allCases.firstIndex(of: hitCase.cacheStatus)!]
        let verdict = rules.judge(request, bytes.span)
        guard verdict.mayLookup,
            case .key(let routingStart, let targetStart) = rules.writeKey(
                request, bytes.span, scheme: .http, into: &key)
        else { return Result() }
        if bans > 40 {
            store = Self.makeStore()
            bans = 0
        }
        store.beginTurn()
        let keyed = key.span.copied
        let hash = store.hash(keyed.span)
        fill(hitCase, rules, keyed, hash)
        let lookup = StoreLookup(
            bytes: bytes.span.extracting(first: count), key: keyed.span,
            KeyedRequest(hash: hash, routingStart: routingStart, targetStart: targetStart), verdict, Self.now,
            Persistence(
                isClosing: hitCase.isClosing || !request.keepAlive, minorVersion: request.minorVersion))
        var result = Self.compare(lookup, verdict, store, rules, request, &plain, &general)
        if result.breach == nil {
            // Once more: the first lookup has checked the records against bans, and claimed codings.
            result = Self.compare(lookup, verdict, store, rules, request, &plain, &general)
        }
        if result.breach == nil, result.outcome == .general, hitCase.mustBePlain(verdict, rules) {
            result.breach = "the short way declines what it is for"
        }
        if result.breach == nil, result.outcome != .unanswered {
            result.breach = framingBreach(verdict.method)
        }
        store.purge(key: keyed.span, hash: hash, soft: false)
        store.endTurn()
        return result
    }

    // MARK: The two ways

    private static func compare(
        _ lookup: borrowing StoreLookup, _ verdict: RequestVerdict, _ store: borrowing StoreThread,
        _ rules: Rules, _ request: borrowing RequestHead, _ plain: inout ByteBuffer,
        _ general: inout ByteBuffer
    ) -> Result {
        var plainStatus: UInt16?
        plain.removeAll()
        plain.append("before")
        if verdict.isPlain {
            if let hit = PlainHit.find(lookup, in: store, by: rules, request) {
                let answer = hit.answer(lookup, by: rules, request, into: &plain)
                plain.append(answer.body)
                plainStatus = answer.status
            } else if !plain.span.equals("before") {
                return Result(breach: "the short way declines, and has written something")
            }
        }
        general.removeAll()
        let (status, facts): (UInt16, HitFacts)
        switch StoreFinding.find(lookup, in: store, by: rules, request, into: &general) {
        case .answer(let answer, let generalFacts):
            general.append(answer.body)
            (status, facts) = (answer.status, generalFacts)
        case .undecoded, .unanswered:
            return Result(
                breach: plainStatus == nil ? nil : "the short way answers what the general way does not")
        }
        guard let plainStatus else { return Result(outcome: .general) }
        var result = Result(outcome: .plain)
        if plainStatus != status {
            result.breach = "statuses \(plainStatus) and \(status)"
        } else if facts.wanted != nil || facts.isStale || facts.refreshes != nil {
            result.breach = "the general way has more to do than to answer"
        } else if !plain.span.equals(general.span) {
            result.breach = "answers differ:\n\(plain.span.string)\n--\n\(general.span.string)"
        }
        return result
    }

    /// The answer in `general` parses, and its body is as long as its head says.
    private mutating func framingBreach(_ method: HTTP.Method) -> String? {
        var scan = HeadScan()
        let bytes = general.span.copied
        let result = response.parse(
            bytes.span, limits: HeadLimits(head: 8 * 1024, fields: 64), scan: &scan, requestMethod: method)
        guard case .complete(let count) = result else { return "no answer: \(bytes.span.string)" }
        let body = UInt64(bytes.count - count)
        switch response.framing {
        case .none: return body == 0 ? nil : "a body where there is none"
        case .length(let length): return body == length ? nil : "\(body) bytes of \(length)"
        case .chunked, .untilClose: return "an answer without a length"
        }
    }

    // MARK: The store's content

    private mutating func fill(_ hitCase: HitCase, _ rules: Rules, _ key: [UInt8], _ hash: Hash128) {
        var original = (serial: UInt64(0), head: [UInt8](), status: UInt16(200))
        for (index, var record) in hitCase.records.enumerated() {
            purge(hitCase, before: index, key, hash)
            if record.isDerived { record.status = original.status }
            let body = record.body(behind: record.headBytes(bodyCount: 0).count, limit: Self.gatherLimit)
            head.removeAll()
            if record.isDerived {
                guard
                    StoredHead.derive(
                        from: original.head.span, coding: record.coding, bodyCount: body.count, limit: .max,
                        into: &head)
                else { continue }
            } else {
                original = (store.newSerial(), record.headBytes(bodyCount: body.count), record.status)
                for byte in original.head { head.append(byte) }
                writeVary(record, rules)
            }
            let (headBytes, values) = (head.span.copied, vary.span.copied)
            _ = store.insert(
                key: key.span, hash: hash,
                variant: record.isDerived
                    ? .derived(coding: record.coding.rawValue, from: original.serial)
                    : .original(coding: record.coding.rawValue, serial: original.serial),
                claims: record.claims,
                facts: record.facts(rules, varies: !values.isEmpty, at: Self.now).record, vary: values.span,
                head: headBytes.span, body: body.span, expires: .max, now: 1_800_000_000,
                stamp: store.stamp(hash))
        }
        purge(hitCase, before: hitCase.records.count, key, hash)
    }

    private mutating func purge(
        _ hitCase: HitCase, before index: Int, _ key: [UInt8], _ hash: Hash128
    ) {
        for purge in hitCase.purges where purge.at == index {
            switch purge.kind {
            case .soft: store.purge(key: key.span, hash: hash, soft: true)
            case .banOfOthers, .softBan:
                bans += 1
                let ban: [UInt8] = [purge.kind == .softBan ? 1 : 0]
                _ = store.ban(ban.span, soft: true)
            }
        }
    }

    /// The Vary values of the request that the record answered.
    private mutating func writeVary(_ record: HitCase.Record, _ rules: Rules) {
        vary.removeAll()
        guard !record.vary.isEmpty else { return }
        var text = "GET / HTTP/1.1\r\nHost: example.com\r\n"
        for line in record.asked { text += line + "\r\n" }
        let bytes = Array((text + "\r\n").utf8)
        var scan = HeadScan()
        guard case .complete = asked.parse(bytes.span, limits: Self.limits, scan: &scan) else { return }
        let stored = Array("HTTP/1.1 200 OK\r\nVary: \(record.vary)\r\n".utf8)
        if rules.writeVary(ofStored: stored.span, request: asked.fields, bytes.span, into: &vary) != nil {
            vary.removeAll()
        }
    }
}
