/// What an exchange does when one of its sides fails, leaves, or takes too long.
extension ExchangeMachine {
    // MARK: The origin

    /// The failure that a close or a reset of the origin's connection is, where the exchange stands.
    public var failureOfClose: OriginFailure {
        switch phase {
        case .answering, .heldBack, .draining, .tunnel: .truncated
        // An interim head was the response's beginning: the close is not "before the first byte".
        case .requesting(let requesting) where requesting.interimCount > 0: .malformed
        case .new, .waiting, .connecting, .requesting, .undoing, .failed: .closed
        }
    }

    /// What the exchange knows of its chances when a connection has failed.
    public struct Chances: Sendable {
        /// The connection had served another request before.
        public var isReused: Bool
        /// Addresses of the server at hand.
        public var addressCount: Int
        /// The upstream has a server that was not tried.
        public var hasServers: Bool
        /// A stored entry may answer in place of an error.
        public var mayUseEntry: Bool

        public init(isReused: Bool, addressCount: Int, hasServers: Bool, mayUseEntry: Bool) {
            self.isReused = isReused
            self.addressCount = addressCount
            self.hasServers = hasServers
            self.mayUseEntry = mayUseEntry
        }
    }

    /// The origin's connection failed, or could not be made.
    public mutating func fail(_ failure: OriginFailure, _ chances: Chances) -> Recovery {
        var failedAddresses = 0
        var sent = Sent.nothing
        var failure = failure
        switch phase {
        case .connecting(let count): failedAddresses = count
        case .requesting(let requesting): sent = requesting.hasSentBody ? .body : .head
        // The client has nothing of the answer: it can still get an honest error.
        case .heldBack: if failure == .truncated { failure = .malformed }
        case .answering, .draining, .tunnel: sent = .head
        case .new, .waiting, .undoing, .failed: break
        }
        if failure.concernsAddress, failedAddresses + 1 < chances.addressCount {
            state = .connecting(failedAddresses: failedAddresses + 1)
            return .nextAddress
        }
        switch tries.on(failure, reused: chances.isReused, sent: sent, serversLeft: chances.hasServers) {
        case .reconnect:
            state = .connecting(failedAddresses: failedAddresses)
            return .reconnect
        case .nextServer:
            state = .connecting(failedAddresses: 0)
            return .nextServer
        case .answer(let status): return giveUp(status: status, mayUseEntry: chances.mayUseEntry)
        case .abort: return .abort
        }
    }

    /// No server is left, or none can be asked.
    public mutating func giveUp(status: UInt16, mayUseEntry: Bool) -> Recovery {
        guard mayUseEntry else { return .answer(status) }
        state = .failed(status: status)
        return .useEntry
    }

    /// What follows a failure of the origin's connection.
    public enum Recovery: Sendable, Equatable {
        /// Again, at the next address of the same server. The failure does not count.
        case nextAddress
        /// Again, on a fresh connection to the same server. The failure does not count: an origin may close
        /// an idle connection at any moment.
        case reconnect
        /// Again, on the key's next server.
        case nextServer
        /// The request is looked up again: a stored entry may answer.
        case useEntry
        /// The client gets this status.
        case answer(UInt16)
        /// The answer has begun: it must not be taken for complete.
        case abort
    }

    /// What follows when the origin has been silent for too long.
    public enum Silence: Sendable, Equatable {
        case fail(OriginFailure)
        case abort
    }

    public var onOriginDeadline: Silence {
        switch phase {
        case .tunnel, .draining: .abort
        case .answering, .heldBack: .fail(.truncated)
        case .connecting: .fail(.connectTimeout)
        case .new, .waiting, .requesting, .undoing, .failed: .fail(.responseTimeout)
        }
    }

    // MARK: The client

    /// The client is gone. Does the exchange go on without it, because the store may get what it fetches?
    /// - Parameter isStoring: the response's body is gathered for the store.
    public func outlivesClient(isStoring: Bool) -> Bool {
        if isStoring { return true }
        // A reservation is held for those who wait; before the response it is not known whether it is stored.
        return holdsReservation && !isReadingBody
    }
}
