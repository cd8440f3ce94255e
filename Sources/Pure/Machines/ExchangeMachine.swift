/// One exchange: a request that goes to an origin, and its answer. The machine knows in which phase the
/// exchange is and decides what follows from each event; the worker tells it the events and does what it
/// answers.
///
///                    ┌───────────────── a retry ─────────────────┐
///                    ▼                                           │
///     new ─────▶ connecting ──▶ requesting ──▶ answering ──▶ (forgotten)
///      │             ▲              │   │          ▲
///      └─▶ waiting ──┘              │   ├─▶ heldBack, when the client needs what the store will make of it
///             │                     │   ├─▶ draining, when nobody wants the rest of the body
///             ▼                     │   └─▶ tunnel
///        (looked up again) ◀── failed, when a stored entry may answer in place of an error
///
///     undoing: the exchange has no origin; it decodes a stored body for its client
///
/// A phase owns what only it needs. What outlives a phase (attempts, waits, the reservation) is in the
/// machine.
public struct ExchangeMachine: Sendable, BitwiseCopyable {
    public enum Phase: Sendable, Equatable, BitwiseCopyable {
        /// Nothing has happened yet.
        case new
        /// Another exchange fetches the same key. Nothing has been sent, and no server has been chosen.
        case waiting
        /// A connection to the origin is being found or made.
        /// - Parameter failedAddresses: addresses of the chosen server that did not connect.
        case connecting(failedAddresses: Int)
        /// The request's head is sent; the final head of the response has not come.
        case requesting(Requesting)
        /// The response's head has come; its body passes to the client, to the store, or to both.
        case answering
        /// As `answering`, but the client gets nothing before the body is stored. The client is looked up
        /// again then.
        case heldBack
        /// The client has its answer, and the body is not stored. Up to `limit` bytes of it are read, so that
        /// the origin's connection can be kept.
        case draining(limit: UInt64)
        /// Both sides have agreed on another protocol.
        case tunnel(Tunnel)
        /// The exchange decodes a stored body.
        case undoing(isSending: Bool)
        /// The origin failed. In the next turn the request is looked up again; `status` is the answer where
        /// the entry is gone by then.
        case failed(status: UInt16)
    }

    public struct Requesting: Sendable, Equatable, BitwiseCopyable {
        /// Something of the request's body was sent.
        public var hasSentBody = false
        /// Interim heads that have come.
        public var interimCount = 0

        public init() {}
    }

    @usableFromInline var state = Phase.new
    @usableFromInline var tries: Attempts
    @usableFromInline var waitCount: UInt8 = 0
    @usableFromInline var isReserved = false

    @inlinable public var phase: Phase { state }
    @inlinable public var attempts: Attempts { tries }
    /// How often the request has waited for another exchange's fetch.
    @inlinable public var waits: UInt8 { waitCount }
    /// Other exchanges wait for this one's fetch, or would have to.
    @inlinable public var holdsReservation: Bool { isReserved }

    @inlinable public init(attempts: Attempts) { tries = attempts }

    // MARK: Questions

    @inlinable public var isWaiting: Bool {
        if case .waiting = phase { true } else { false }
    }

    /// May the request wait (once more) for another exchange's fetch?
    @inlinable public var mayWait: Bool { waits < Reservations.waitLimit }

    /// The origin's connection may take what the client sends.
    @inlinable public var takesRequestBody: Bool {
        switch phase {
        case .requesting, .answering, .tunnel: true
        case .new, .waiting, .connecting, .heldBack, .draining, .undoing, .failed: false
        }
    }

    /// The final head of the response has come: what comes now is its body, or a tunnel's bytes.
    @inlinable public var isReadingBody: Bool {
        switch phase {
        case .answering, .heldBack, .draining, .tunnel: true
        case .new, .waiting, .connecting, .requesting, .undoing, .failed: false
        }
    }

    /// The client has its answer's head, or gets it now.
    @inlinable public var hasAnswered: Bool {
        switch phase {
        case .answering, .draining, .tunnel, .undoing(isSending: true): true
        case .new, .waiting, .connecting, .requesting, .heldBack, .undoing(isSending: false), .failed: false
        }
    }

    @inlinable public var isTunnel: Bool {
        if case .tunnel = phase { true } else { false }
    }

    @inlinable public var isHeldBack: Bool {
        if case .heldBack = phase { true } else { false }
    }

    /// Something of the response has come: what ends now is no end before the response.
    @inlinable public var hasResponseBegun: Bool { isReadingBody || interimCount > 0 }

    /// Interim heads that have come of the response.
    @inlinable public var interimCount: Int {
        if case .requesting(let requesting) = phase { requesting.interimCount } else { 0 }
    }

    // MARK: Waiting

    /// The request has waited so often before, as another exchange.
    @inlinable public mutating func hasWaited(_ times: UInt8) { waitCount = times }

    /// The exchange waits for another one's fetch.
    @inlinable public mutating func wait() {
        state = .waiting
        waitCount += 1
    }

    /// The exchange fetches for all that want the key.
    @inlinable public mutating func takeReservation() { isReserved = true }

    /// - Returns: false where there was no reservation.
    @inlinable public mutating func giveReservation() -> Bool {
        defer { isReserved = false }
        return isReserved
    }

    // MARK: Sending the request

    /// A connection is being found, for the first time or once more.
    @inlinable public mutating func connect() {
        if case .connecting = phase { return }
        state = .connecting(failedAddresses: 0)
    }

    /// The request's head was sent.
    @inlinable public mutating func sentHead() { state = .requesting(Requesting()) }

    /// Something of the request's body was sent: from now on the request cannot be repeated.
    @inlinable public mutating func sentBody() {
        guard case .requesting(var requesting) = phase, !requesting.hasSentBody else { return }
        requesting.hasSentBody = true
        state = .requesting(requesting)
    }

    // MARK: The response

    /// An interim head has come.
    /// - Returns: how many there were, with it.
    @inlinable public mutating func tookInterim() -> Int {
        guard case .requesting(var requesting) = phase else { return 0 }
        requesting.interimCount += 1
        state = .requesting(requesting)
        return requesting.interimCount
    }

    /// The final head has come, and goes to the client and to the store.
    @inlinable public mutating func answer() { state = .answering }

    /// The client gets nothing before the body is stored.
    @inlinable public mutating func holdBack() { state = .heldBack }

    /// The client has its answer; nobody wants the body.
    @inlinable public mutating func drain(limit: UInt64) { state = .draining(limit: limit) }

    @inlinable public mutating func openTunnel() { state = .tunnel(Tunnel()) }

    /// A stored body is decoded, first to check it, then to send it.
    @inlinable public mutating func undo(isSending: Bool) { state = .undoing(isSending: isSending) }

    /// What follows a run of body bytes.
    public enum BodyStep: Sendable, Equatable {
        /// More is expected, and the origin's time begins anew.
        case goOn
        /// More is expected, within the time that runs: nobody wants it.
        case drain
        /// The body is broken, or ended too early.
        case fail
        /// The origin's half of the tunnel has ended.
        case endTunnelHalf
        case finish
        /// Nobody wants the rest.
        case abort
    }

    /// - Parameters:
    ///   - isComplete: the body's end has come.
    ///   - isWanted: a client or the store wants the body.
    ///   - delivered: bytes of the body that have come.
    @inlinable
    public func afterBody(isComplete: Bool, isBroken: Bool, isWanted: Bool, delivered: UInt64) -> BodyStep {
        if isBroken { return .fail }
        if isComplete {
            if case .tunnel(let tunnel) = phase, !tunnel.hasOriginEnded { return .endTunnelHalf }
            return .finish
        }
        if isWanted { return .goOn }
        if case .draining(let limit) = phase, delivered < limit { return .drain }
        return .abort
    }

    /// - Returns: what the tunnel's event asks for; nil where this is no tunnel.
    @inlinable public mutating func tunnelEvent(
        _ event: Tunnel.Event, isOriginFlushed: Bool, isClientFlushed: Bool
    ) -> Tunnel.Action? {
        guard case .tunnel(var tunnel) = phase else { return nil }
        let action = tunnel.on(event, isOriginFlushed: isOriginFlushed, isClientFlushed: isClientFlushed)
        state = .tunnel(tunnel)
        return action
    }
}
