import Machines
import Testing

/// The phases of an exchange, and what follows from each event in each of them.
@Suite struct ExchangeMachineTests {
    typealias Phase = ExchangeMachine.Phase
    typealias Recovery = ExchangeMachine.Recovery

    /// A machine in the named phase.
    static func machine(_ name: String, retries: Int = 1, idempotent: Bool = true) -> ExchangeMachine {
        var machine = ExchangeMachine(
            attempts: Attempts(idempotent: idempotent, retries: retries, reuse: true))
        switch name {
        case "new": break
        case "waiting": machine.wait()
        case "connecting": machine.connect()
        case "requesting": machine.sentHead()
        case "requesting with a body":
            machine.sentHead()
            machine.sentBody()
        case "requesting after a 103":
            machine.sentHead()
            _ = machine.tookInterim()
        case "answering": machine.answer()
        case "held back": machine.holdBack()
        case "draining": machine.drain(limit: 100)
        case "tunnel": machine.openTunnel()
        case "checking": machine.undo(isSending: false)
        case "sending": machine.undo(isSending: true)
        case "failed": _ = machine.giveUp(status: 504, mayUseEntry: true)
        default: Issue.record("no phase \(name)")
        }
        return machine
    }

    /// phase, takes a request body, reads the response's body, the response has begun, the client has its
    /// answer, what a close is, what silence is
    static let phases: [(String, Bool, Bool, Bool, Bool, OriginFailure, ExchangeMachine.Silence)] = [
        ("new", false, false, false, false, .closed, .fail(.responseTimeout)),
        ("waiting", false, false, false, false, .closed, .fail(.responseTimeout)),
        ("connecting", false, false, false, false, .closed, .fail(.connectTimeout)),
        ("requesting", true, false, false, false, .closed, .fail(.responseTimeout)),
        ("requesting with a body", true, false, false, false, .closed, .fail(.responseTimeout)),
        ("requesting after a 103", true, false, true, false, .malformed, .fail(.responseTimeout)),
        ("answering", true, true, true, true, .truncated, .fail(.truncated)),
        ("held back", false, true, true, false, .truncated, .fail(.truncated)),
        ("draining", false, true, true, true, .truncated, .abort),
        ("tunnel", true, true, true, true, .truncated, .abort),
        ("checking", false, false, false, false, .closed, .fail(.responseTimeout)),
        ("sending", false, false, false, true, .closed, .fail(.responseTimeout)),
        ("failed", false, false, false, false, .closed, .fail(.responseTimeout)),
    ]

    @Test(arguments: phases)
    func eachPhaseAnswersItsQuestions(
        name: String, takesBody: Bool, readsBody: Bool, hasBegun: Bool, hasAnswered: Bool,
        close: OriginFailure, silence: ExchangeMachine.Silence
    ) {
        let machine = Self.machine(name)
        #expect(machine.takesRequestBody == takesBody)
        #expect(machine.isReadingBody == readsBody)
        #expect(machine.hasResponseBegun == hasBegun)
        #expect(machine.hasAnswered == hasAnswered)
        #expect(machine.failureOfClose == close)
        #expect(machine.onOriginDeadline == silence)
    }

    /// phase, failure, addresses, may an entry answer, recovery, phase after it (nil: as before)
    static let failures: [(String, OriginFailure, Int, Bool, Recovery, Phase?)] = [
        ("connecting", .notConnected, 1, false, .nextServer, .connecting(failedAddresses: 0)),
        ("connecting", .notConnected, 2, false, .nextAddress, .connecting(failedAddresses: 1)),
        ("connecting", .connectTimeout, 3, false, .nextAddress, .connecting(failedAddresses: 1)),
        ("connecting", .noPort, 2, false, .nextAddress, .connecting(failedAddresses: 1)),
        ("connecting", .noSocket, 2, false, .answer(503), nil),
        ("connecting", .noSocket, 2, true, .useEntry, .failed(status: 503)),
        ("requesting", .closed, 1, false, .nextServer, .connecting(failedAddresses: 0)),
        ("requesting", .responseTimeout, 1, false, .answer(504), nil),
        ("requesting", .responseTimeout, 1, true, .useEntry, .failed(status: 504)),
        ("requesting", .malformed, 1, false, .answer(502), nil),
        // The body has begun to leave: it cannot be sent again.
        ("requesting with a body", .closed, 1, false, .answer(502), nil),
        ("requesting with a body", .closed, 1, true, .useEntry, .failed(status: 502)),
        // The client has a part of the answer.
        ("answering", .truncated, 1, true, .abort, nil),
        ("tunnel", .truncated, 1, true, .abort, nil),
        ("draining", .truncated, 1, true, .abort, nil),
        // The client has nothing of the answer.
        ("held back", .truncated, 1, false, .answer(502), nil),
        ("held back", .truncated, 1, true, .useEntry, .failed(status: 502)),
    ]

    @Test(arguments: failures)
    func aFailureIsRecoveredFrom(
        name: String, failure: OriginFailure, addresses: Int, mayUseEntry: Bool, recovery: Recovery,
        after: Phase?
    ) {
        var machine = Self.machine(name)
        let before = machine.phase
        let chances = ExchangeMachine.Chances(
            isReused: false, addressCount: addresses, hasServers: true, mayUseEntry: mayUseEntry)
        let found = machine.fail(failure, chances)
        #expect(found == recovery)
        #expect(machine.phase == after ?? before)
    }

    @Test func everyAddressOfAServerIsTriedOnceBeforeTheNextServer() {
        var machine = Self.machine("connecting")
        let chances = ExchangeMachine.Chances(
            isReused: false, addressCount: 3, hasServers: true, mayUseEntry: false)
        var recoveries: [Recovery] = []
        for _ in 0..<6 { recoveries.append(machine.fail(.notConnected, chances)) }
        #expect(
            recoveries == [
                .nextAddress, .nextAddress, .nextServer, .nextAddress, .nextAddress, .answer(502),
            ])
    }

    @Test func aReusedConnectionThatClosesCostsNoRetry() {
        var machine = Self.machine("requesting", retries: 0)
        let chances = ExchangeMachine.Chances(
            isReused: true, addressCount: 1, hasServers: false, mayUseEntry: false)
        let first = machine.fail(.closed, chances)
        machine.sentHead()
        let second = machine.fail(.closed, chances)
        #expect(first == .reconnect && second == .answer(502))
    }

    /// phase, complete, broken, wanted, bytes delivered, step
    static let bodies: [(String, Bool, Bool, Bool, UInt64, ExchangeMachine.BodyStep)] = [
        ("answering", false, false, true, 10, .goOn), ("answering", true, false, true, 10, .finish),
        ("answering", false, true, true, 10, .fail), ("answering", true, true, true, 10, .fail),
        // Neither a client nor the store wants the rest.
        ("answering", false, false, false, 0, .abort), ("answering", true, false, false, 10, .finish),
        ("held back", false, false, true, 10, .goOn), ("held back", true, false, true, 10, .finish),
        ("draining", false, false, false, 99, .drain), ("draining", false, false, false, 100, .abort),
        ("draining", true, false, false, 100, .finish), ("draining", false, true, false, 1, .fail),
        ("tunnel", false, false, true, 10, .goOn), ("tunnel", true, false, true, 10, .endTunnelHalf),
    ]

    @Test(arguments: bodies)
    func aRunOfTheBodyIsFollowedBy(
        name: String, isComplete: Bool, isBroken: Bool, isWanted: Bool, delivered: UInt64,
        step: ExchangeMachine.BodyStep
    ) {
        let machine = Self.machine(name)
        let found = machine.afterBody(
            isComplete: isComplete, isBroken: isBroken, isWanted: isWanted, delivered: delivered)
        #expect(found == step)
    }

    /// phase, holds the reservation, gathers the body for the store, goes on
    static let leavings: [(String, Bool, Bool, Bool)] = [
        ("waiting", false, false, false), ("connecting", false, false, false),
        ("connecting", true, false, true), ("requesting", false, false, false),
        ("requesting", true, false, true), ("answering", true, false, false),
        ("answering", false, true, true), ("answering", true, true, true), ("held back", true, true, true),
        ("tunnel", false, false, false), ("checking", false, false, false),
    ]

    @Test(arguments: leavings)
    func anExchangeWhoseClientLeavesGoesOnForTheStoreAlone(
        name: String, holds: Bool, isStoring: Bool, goesOn: Bool
    ) {
        var machine = Self.machine(name)
        if holds { machine.takeReservation() }
        #expect(machine.outlivesClient(isStoring: isStoring) == goesOn)
    }

    @Test func aReservationIsGivenBackOnce() {
        var machine = Self.machine("requesting")
        var given = [machine.giveReservation()]
        machine.takeReservation()
        given += [machine.giveReservation(), machine.giveReservation()]
        #expect(given == [false, true, false])
    }

    @Test func aRequestWaitsThreeTimesAtMost() {
        var machine = Self.machine("new")
        machine.hasWaited(1)
        var waits = 0
        while machine.mayWait {
            machine.wait()
            waits += 1
        }
        #expect(waits == Int(Reservations.waitLimit) - 1 && machine.waits == Reservations.waitLimit)
    }

    @Test func interimHeadsAreCounted() {
        var machine = Self.machine("requesting with a body")
        let counts = [machine.tookInterim(), machine.tookInterim()]
        #expect(counts == [1, 2] && machine.interimCount == 2)
        // What was sent is not forgotten: a later failure must not repeat the body.
        let chances = ExchangeMachine.Chances(
            isReused: true, addressCount: 1, hasServers: true, mayUseEntry: false)
        let recovery = machine.fail(.closed, chances)
        #expect(recovery == .answer(502))
    }
}

/// A tunnel's halves end one by one; each side hears of the other's end behind what is on its way to it.
@Suite struct TunnelTests {
    /// event, the origin has taken all, the client has taken all, action
    typealias Step = (Tunnel.Event, Bool, Bool, Tunnel.Action)

    static let runs: [[Step]] = [
        [(.clientEnded, true, true, .endOrigin), (.originEnded, true, true, .finish)],
        [(.originEnded, true, true, .endClient), (.clientEnded, true, true, .finish)],
        // The client's last bytes are still on their way to the origin.
        [
            (.clientEnded, false, true, .none), (.originFlushed, true, true, .endOrigin),
            (.originEnded, true, true, .finish),
        ],
        [
            (.clientEnded, false, true, .none), (.originEnded, false, true, .endClient),
            (.originFlushed, true, true, .finish),
        ],
        // The origin's last bytes are still on their way to the client.
        [
            (.originEnded, true, false, .none), (.clientFlushed, true, true, .endClient),
            (.clientEnded, true, true, .finish),
        ],
        [(.clientFlushed, true, true, .none), (.originFlushed, true, true, .none)],
    ]

    @Test(arguments: runs)
    func itEndsHalfByHalf(run: [Step]) {
        var tunnel = Tunnel()
        for (event, isOriginFlushed, isClientFlushed, action) in run {
            let found = tunnel.on(event, isOriginFlushed: isOriginFlushed, isClientFlushed: isClientFlushed)
            #expect(found == action, "\(event)")
        }
    }
}
