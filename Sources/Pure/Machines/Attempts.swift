/// Decides what happens when an origin fails a request: the retry machine of an exchange.
///
/// Rules (caching-rules, "Fetching"): a request is retried only if no part of the answer has arrived. If the
/// request is not idempotent, or part of its body has been sent, it is retried only if no byte of it was
/// sent. If a reused connection closes before the first byte of the answer, the request is tried once more on
/// a fresh connection to the same server, because an origin may close an idle connection at any moment. If a
/// server does not connect, the key's next choice is tried.

internal import Bytes

/// How much of the request was sent on the failed connection.
public enum Sent: Sendable, Equatable {
    case nothing
    /// Some or all of the head, nothing of the body.
    case head
    /// Part of the body: the request cannot be sent again.
    case body
}

/// How an origin connection failed.
public enum OriginFailure: Sendable, Equatable {
    /// Refused, unreachable, or reset during the handshake.
    case notConnected
    /// Not the server's fault: no descriptor or no memory for a socket.
    case noSocket
    /// Not the server's fault: no local port is left for connections to the server, or this machine has no
    /// address of the server's family.
    case noPort
    case connectTimeout
    /// Closed or reset before the first byte of the answer.
    case closed
    /// No byte of the answer within the response timeout.
    case responseTimeout
    /// The answer is not HTTP, or breaks a rule of HTTP.
    case malformed
    /// Closed, reset or stalled after the answer began.
    case truncated
}

extension OriginFailure {
    /// Is this machine the cause, so that the failure does not count against the server?
    public var isLocal: Bool {
        switch self {
        case .noSocket, .noPort: true
        case .notConnected, .connectTimeout, .closed, .responseTimeout, .malformed, .truncated: false
        }
    }

    /// Could another address of the same server work?
    public var concernsAddress: Bool {
        switch self {
        case .notConnected, .connectTimeout, .noPort: true
        case .noSocket, .closed, .responseTimeout, .malformed, .truncated: false
        }
    }
}

/// What the exchange does after a failure.
public enum NextTry: Sendable, Equatable {
    /// Try again on a fresh connection to the same server.
    case reconnect
    /// Try the key's next server.
    case nextServer
    /// Answer the client with this status.
    case answer(UInt16)
    /// Close the client's connection: the answer has begun, and the client must not take it for complete.
    case abort
}

/// The attempts of one exchange.
public struct Attempts: Sendable, BitwiseCopyable {
    private let idempotent: Bool
    private var retriesLeft: Int
    /// Must the next connection be a fresh one? Set after the first failure of a reused connection.
    public private(set) var mustBeFresh: Bool

    /// - Parameters:
    ///   - idempotent: is the method idempotent (RFC 9110 §9.2.2)?
    ///   - retries: how many more servers may be tried (`upstreams.*.retries`).
    ///   - reuse: may this request use an idle connection?
    public init(idempotent: Bool, retries: Int, reuse: Bool) {
        self.idempotent = idempotent
        retriesLeft = retries
        mustBeFresh = !reuse
    }

    /// - Parameters:
    ///   - reused: did the failed connection serve another request before?
    ///   - sent: how much of the request was sent.
    ///   - serversLeft: is there a server that was not tried?
    public mutating func on(_ failure: OriginFailure, reused: Bool, sent: Sent, serversLeft: Bool) -> NextTry
    {
        switch failure {
        case .notConnected, .connectTimeout:
            return takeRetry(serversLeft) ? .nextServer : .answer(failure == .connectTimeout ? 504 : 502)
        // Another server would need a socket, too.
        case .noSocket: return .answer(503)
        case .noPort: return takeRetry(serversLeft) ? .nextServer : .answer(503)
        case .closed:
            let replayable =
                sent == .nothing || (sent == .head && idempotent) || PlantedFault.isPlanted(.resendsUploads)
            guard replayable else { return .answer(502) }
            if reused, !mustBeFresh {
                mustBeFresh = true
                return .reconnect
            }
            return takeRetry(serversLeft) ? .nextServer : .answer(502)
        case .responseTimeout: return .answer(504)
        case .malformed: return .answer(502)
        case .truncated: return .abort
        }
    }

    /// Uses one retry, if there is another server and a retry is left. Returns whether it did.
    private mutating func takeRetry(_ serversLeft: Bool) -> Bool {
        guard serversLeft, retriesLeft > 0 else { return false }
        retriesLeft -= 1
        return true
    }
}
