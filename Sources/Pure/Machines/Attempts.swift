/// What to do when an origin fails one request: the retry machine of an exchange.
///
/// Rules (caching-rules, "Fetching"): a retry only while nothing of the answer has come; a request that is
/// not idempotent, or whose body has begun to leave, only while nothing of it was sent. A reused connection
/// that dies before the first byte gets one more try on a fresh connection to the same server (an origin may
/// close an idle connection at any moment); a server that does not connect hands over to the key's next
/// choice.

internal import Bytes

/// How far the request went on the failed connection.
public enum Sent: Sendable, Equatable {
    case nothing
    /// Some or all of the head, none of a body.
    case head
    /// Something of the body: it cannot be sent again.
    case body
}

/// How an origin connection failed.
public enum OriginFailure: Sendable, Equatable {
    /// Refused, unreachable, or reset during the handshake.
    case notConnected
    /// Nothing to do with the server: no descriptor or no memory for a socket.
    case noSocket
    /// Nothing to do with the server: no local port is left for connections to it, or this machine has no
    /// address of its family.
    case noPort
    case connectTimeout
    /// Closed or reset before the first byte of the answer.
    case closed
    /// Nothing of the answer within the response time-out.
    case responseTimeout
    /// An answer that is not HTTP, or breaks its rules.
    case malformed
    /// Closed, reset or stalled after the answer began.
    case truncated
}

extension OriginFailure {
    /// Is it ours, so that nothing is counted against the server?
    public var isOurs: Bool {
        switch self {
        case .noSocket, .noPort: true
        case .notConnected, .connectTimeout, .closed, .responseTimeout, .malformed, .truncated: false
        }
    }

    /// Could another address of the same server do?
    public var concernsAddress: Bool {
        switch self {
        case .notConnected, .connectTimeout, .noPort: true
        case .noSocket, .closed, .responseTimeout, .malformed, .truncated: false
        }
    }
}

/// What follows a failure.
public enum NextTry: Sendable, Equatable {
    /// Again, on a fresh connection to the same server.
    case reconnect
    /// Again, on the key's next server.
    case nextServer
    /// Answer the client with this status.
    case answer(UInt16)
    /// The answer has begun: close the client's connection, so that it is never taken for complete.
    case abort
}

/// One exchange's attempts.
public struct Attempts: Sendable, BitwiseCopyable {
    private let idempotent: Bool
    private var retriesLeft: Int
    /// A reused connection is forgiven once; the next try is always on a fresh one.
    public private(set) var mustBeFresh: Bool

    /// - Parameters:
    ///   - idempotent: by its method (RFC 9110 §9.2.2).
    ///   - retries: how many further servers may be tried (`upstreams.*.retries`).
    ///   - reuse: may this request take an idle connection at all?
    public init(idempotent: Bool, retries: Int, reuse: Bool) {
        self.idempotent = idempotent
        retriesLeft = retries
        mustBeFresh = !reuse
    }

    /// - Parameters:
    ///   - reused: the failed connection had served another request before.
    ///   - sent: how much of the request it took.
    ///   - serversLeft: another server is there that was not tried.
    public mutating func on(_ failure: OriginFailure, reused: Bool, sent: Sent, serversLeft: Bool) -> NextTry
    {
        switch failure {
        case .notConnected, .connectTimeout:
            return takeRetry(serversLeft) ? .nextServer : .answer(failure == .connectTimeout ? 504 : 502)
        // Another server would not get a socket either.
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

    /// Takes one of the retries, if there is another server and one is left.
    private mutating func takeRetry(_ serversLeft: Bool) -> Bool {
        guard serversLeft, retriesLeft > 0 else { return false }
        retriesLeft -= 1
        return true
    }
}
