// The steps of a hit and of storing a response, each alone, with the request of a browser. perf/micro
// measures them.

internal import Bytes
internal import Caching
internal import HTTP
internal import Settings
internal import Store

public enum Step: String, CaseIterable, Sendable {
    /// Parses a browser's request head of about 430 bytes, in which a value differs from the head before.
    case parse
    /// Parses the same head with the field positions of the head before.
    case recall
    /// Writes the key of that request and computes its hash.
    case key
    /// Decides what the request asks of the cache, and whether an entry may answer it.
    case decide
    /// Finds a key among a thousand.
    case lookup
    /// Inserts a new object of 1 KiB into a full store of 64 MiB, which includes making room for it.
    case insert
}

public struct Steps: ~Copyable {
    private static let limits = HeadLimits(head: 16_384, fields: 100)
    private static let now = Times(wallMilliseconds: 1_770_000_000_000, bootMilliseconds: 1_000_000)

    private let text = Self.head(referer: "/")
    private let another = Self.head(referer: "/page")
    private var request = RequestHead()
    private var key = ByteBuffer(capacity: 1024)
    private let rules = Rules(policy: Policy(name: "micro"), upstream: "origin")
    private let entry: EntryFacts
    private var thread: StoreThread
    private let body = [UInt8](repeating: 120, count: 1024)
    private let head = [UInt8](repeating: 104, count: 250)
    private var inserted = 0

    public init() throws {
        let cache = try Store.create(StoreOptions(memory: 64 << 20, rows: 1))
        guard let row = cache.row() else { throw StoreError.badOptions }
        thread = row
        entry = EntryFacts(
            received: Self.now, initialAgeMilliseconds: 0, freshForMilliseconds: 600_000, status: 200,
            coding: .identity, flags: [], fingerprint: rules.fingerprint)
        let result = Self.parse(text, into: &request)
        precondition(result == .complete(text.count), "the sample is no request: \(result)")
        // Insert the objects that lookups find.
        for number in 0..<1000 { self.store(number) }
    }

    private static func head(referer: String) -> ByteBuffer {
        var text = ByteBuffer(capacity: 1024)
        for line in [
            "GET /assets/app.4f3a9c1d.js?v=17 HTTP/1.1", "Host: www.example.com", "Connection: keep-alive",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "Chrome/140.0.0.0 Safari/537.36",
            "Accept: */*", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors",
            "Sec-Fetch-Dest: script", "Referer: https://www.example.com\(referer)",
            "Accept-Encoding: gzip, deflate, br",
            "Accept-Language: en-GB,en;q=0.9", "",
        ] {
            text.append(text: line + "\r\n")
        }
        return text
    }

    /// Runs a step `count` times. The sum prevents the compiler from removing the work.
    public mutating func run(_ step: Step, _ count: Int) -> Int {
        var sum = 0
        for number in 0..<count {
            switch step {
            case .parse where number & 1 == 0:
                if case .complete(let n) = Self.parse(another, into: &request) { sum &+= n }
            case .parse, .recall:
                if case .complete(let n) = Self.parse(text, into: &request) { sum &+= n }
            case .key:
                Self.writeKey(request, text, rules, into: &key)
                sum &+= Int(truncatingIfNeeded: thread.hash(key.span).low)
            case .decide:
                let verdict = rules.judge(request, text.span)
                if case .fresh(let age, let ttl) = rules.use(entry, for: verdict, now: Self.now) {
                    sum &+= Int(age &+ ttl)
                }
            // Look up the newest thousand: older ones may have been evicted.
            case .lookup: sum &+= find(999 &+ inserted &- number % 1000)
            case .insert:
                inserted &+= 1
                store(999 &+ inserted)
            }
        }
        return sum
    }

    private mutating func write(_ number: Int) {
        key.removeAll()
        key.append("http\u{0}www.example.com\u{0}/o/")
        key.append(decimal: UInt64(number))
    }

    private mutating func find(_ number: Int) -> Int {
        write(number)
        thread.beginTurn()
        let count = Self.find(thread, key.span)
        thread.endTurn()
        return count
    }

    private static func find(_ thread: borrowing StoreThread, _ key: Span<UInt8>) -> Int {
        let view = thread.lookup(key: key, hash: thread.hash(key)) { _, _ in 1 }
        guard let view else { preconditionFailure("a stored key is not found") }
        return view.body.count
    }

    private mutating func store(_ number: Int) {
        write(number)
        thread.beginTurn()
        let outcome = Self.insert(key, head: head, body: body, into: &thread)
        precondition(outcome == .stored, "not stored: \(outcome)")
        thread.endTurn()
    }

    // The changed values and the borrowed values are separate arguments. A span of one property that lives
    // while a different property changes would count as an access to all of self.

    private static func parse(_ text: borrowing ByteBuffer, into request: inout RequestHead) -> HeadResult {
        var scan = HeadScan()
        return request.parse(text.span, limits: limits, scan: &scan)
    }

    private static func writeKey(
        _ request: borrowing RequestHead, _ text: borrowing ByteBuffer, _ rules: Rules,
        into key: inout ByteBuffer
    ) { _ = rules.writeKey(request, text.span, scheme: .http, into: &key) }

    private static func insert(
        _ key: borrowing ByteBuffer, head: [UInt8], body: [UInt8], into thread: inout StoreThread
    ) -> StoreOutcome {
        let hash = thread.hash(key.span)
        return thread.insert(
            key: key.span, hash: hash, variant: .original(), facts: RecordFacts(), vary: Span(),
            head: head.span, body: body.span, expires: .max, now: 1, stamp: thread.stamp(hash))
    }
}
