import Machines
import Testing

/// The retry rules as a table: one failure of a fresh machine each.
struct AttemptsTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let idempotent: Bool
        let failure: OriginFailure
        let reused: Bool
        let sent: Sent
        let serversLeft: Bool
        let expected: NextTry
        var testDescription: String {
            "\(failure) reused \(reused) sent \(sent) left \(serversLeft) -> \(expected)"
        }
    }

    static let table: [Case] = [
        Case(
            idempotent: true, failure: .notConnected, reused: false, sent: .nothing, serversLeft: true,
            expected: .nextServer),
        Case(
            idempotent: true, failure: .notConnected, reused: false, sent: .nothing, serversLeft: false,
            expected: .answer(502)),
        Case(
            idempotent: false, failure: .notConnected, reused: false, sent: .nothing, serversLeft: true,
            expected: .nextServer),
        Case(
            idempotent: true, failure: .connectTimeout, reused: false, sent: .nothing, serversLeft: false,
            expected: .answer(504)),
        Case(
            idempotent: true, failure: .connectTimeout, reused: false, sent: .nothing, serversLeft: true,
            expected: .nextServer),
        // Ours: another server would fare no better without a descriptor, but has ports of its own.
        Case(
            idempotent: true, failure: .noSocket, reused: false, sent: .nothing, serversLeft: true,
            expected: .answer(503)),
        Case(
            idempotent: false, failure: .noSocket, reused: false, sent: .nothing, serversLeft: false,
            expected: .answer(503)),
        Case(
            idempotent: true, failure: .noPort, reused: false, sent: .nothing, serversLeft: true,
            expected: .nextServer),
        Case(
            idempotent: true, failure: .noPort, reused: false, sent: .nothing, serversLeft: false,
            expected: .answer(503)),
        Case(
            idempotent: true, failure: .closed, reused: true, sent: .head, serversLeft: false,
            expected: .reconnect),
        Case(
            idempotent: false, failure: .closed, reused: true, sent: .head, serversLeft: true,
            expected: .answer(502)),
        Case(
            idempotent: false, failure: .closed, reused: true, sent: .nothing, serversLeft: true,
            expected: .reconnect),
        Case(
            idempotent: true, failure: .closed, reused: true, sent: .body, serversLeft: true,
            expected: .answer(502)),
        Case(
            idempotent: true, failure: .closed, reused: false, sent: .head, serversLeft: true,
            expected: .nextServer),
        Case(
            idempotent: true, failure: .closed, reused: false, sent: .head, serversLeft: false,
            expected: .answer(502)),
        Case(
            idempotent: true, failure: .responseTimeout, reused: false, sent: .head, serversLeft: true,
            expected: .answer(504)),
        Case(
            idempotent: true, failure: .malformed, reused: true, sent: .head, serversLeft: true,
            expected: .answer(502)),
        Case(
            idempotent: true, failure: .truncated, reused: true, sent: .head, serversLeft: true,
            expected: .abort),
    ]

    @Test(arguments: table)
    func oneFailure(_ row: Case) {
        var attempts = Attempts(idempotent: row.idempotent, retries: 2, reuse: true)
        let recovery = attempts.on(
            row.failure, reused: row.reused, sent: row.sent, serversLeft: row.serversLeft)
        #expect(recovery == row.expected)
    }

    @Test func aReusedConnectionIsForgivenOnce() {
        var attempts = Attempts(idempotent: true, retries: 2, reuse: true)
        #expect(!attempts.mustBeFresh)
        #expect(attempts.on(.closed, reused: true, sent: .head, serversLeft: false) == .reconnect)
        #expect(attempts.mustBeFresh)
        #expect(attempts.on(.closed, reused: false, sent: .head, serversLeft: false) == .answer(502))
    }

    @Test func retriesAreCounted() {
        var attempts = Attempts(idempotent: true, retries: 2, reuse: true)
        #expect(attempts.on(.notConnected, reused: false, sent: .nothing, serversLeft: true) == .nextServer)
        #expect(attempts.on(.connectTimeout, reused: false, sent: .nothing, serversLeft: true) == .nextServer)
        #expect(attempts.on(.notConnected, reused: false, sent: .nothing, serversLeft: true) == .answer(502))
    }

    @Test func whatMayNotReuseIsFreshFromTheStart() {
        let attempts = Attempts(idempotent: false, retries: 2, reuse: false)
        #expect(attempts.mustBeFresh)
    }
}

struct OriginPoolTests {
    @Test func theLastOneInIsTheFirstOneOut() {
        var pool = OriginPool(limit: 3)
        for token: UInt64 in 1...3 { #expect(pool.put(token) == nil) }
        #expect(pool.take() == 3)
        #expect(pool.take() == 2)
        #expect(pool.take() == 1)
        #expect(pool.take() == nil)
    }

    @Test func aFullPoolGivesUpItsOldest() {
        var pool = OriginPool(limit: 2)
        #expect(pool.put(1) == nil)
        #expect(pool.put(2) == nil)
        #expect(pool.put(3) == 1)
        #expect(pool.count == 2)
    }

    @Test func aPoolOfNothingKeepsNothing() {
        var pool = OriginPool(limit: 0)
        #expect(pool.put(1) == 1)
        #expect(pool.take() == nil)
    }

    @Test func aClosedConnectionIsForgotten() {
        var pool = OriginPool(limit: 4)
        for token: UInt64 in 1...3 { _ = pool.put(token) }
        pool.remove(2)
        pool.remove(9)
        #expect(pool.take() == 3)
        #expect(pool.take() == 1)
        #expect(pool.take() == nil)
    }
}
