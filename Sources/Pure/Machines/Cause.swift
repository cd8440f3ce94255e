public import HTTP

/// Why Larder answered a request with an error of its own, or how an origin failed a request. The code is
/// part of the product's interface: the access log, notices and the bodies of error answers show it.
///
/// Raw values start at 1, so that 0 can mean "none".
public enum Cause: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    // Errors of the client.
    case malformedRequest = 1
    case method, version, targetTooLong, headTooLarge, bodyTooLarge
    case requestHeadTimeout, requestBodyTimeout, clientLeft, clientTimeout
    // Results of Larder's configuration or of the request's own directives.
    case noRoute, onlyIfCached, misdirected, forbidden, notAllowed, loop, stopped
    // Failures of a server.
    case refused, unreachable, noSocket, connectTimeout, closed, reset, responseTimeout, malformed
    case truncated, bodyReset, bodyTimeout, errorStatus

    public init(_ refusal: BrokenRule) {
        self =
            switch refusal {
            case .requestLine, .target, .fieldLine, .fieldValue, .host, .framing, .bareLineBreak, .chunk:
                .malformedRequest
            case .method: .method
            case .version: .version
            case .targetTooLong: .targetTooLong
            case .headTooLarge, .trailers: .headTooLarge
            case .bodyTooLarge: .bodyTooLarge
            }
    }

    /// The cause of a failure if no more detail is known.
    public init(_ failure: OriginFailure) {
        self =
            switch failure {
            case .notConnected: .unreachable
            case .noSocket, .noPort: .noSocket
            case .connectTimeout: .connectTimeout
            case .closed: .closed
            case .responseTimeout: .responseTimeout
            case .malformed: .malformed
            case .truncated: .truncated
            }
    }

    /// Did a server fail?
    public var isServerFailure: Bool { rawValue >= Self.refused.rawValue }

    public var code: StaticString {
        switch self {
        case .malformedRequest: "malformed-request"
        case .method: "method"
        case .version: "version"
        case .targetTooLong: "target-too-long"
        case .headTooLarge: "head-too-large"
        case .bodyTooLarge: "body-too-large"
        case .requestHeadTimeout: "request-head-timeout"
        case .requestBodyTimeout: "request-body-timeout"
        case .clientLeft: "client-left"
        case .clientTimeout: "client-timeout"
        case .noRoute: "no-route"
        case .onlyIfCached: "only-if-cached"
        case .misdirected: "misdirected"
        case .forbidden: "forbidden"
        case .notAllowed: "method-not-allowed"
        case .loop: "loop"
        case .stopped: "stopped"
        case .refused: "refused"
        case .unreachable: "unreachable"
        case .noSocket: "no-socket"
        case .connectTimeout: "connect-timeout"
        case .closed: "closed"
        case .reset: "reset"
        case .responseTimeout: "response-timeout"
        case .malformed: "malformed"
        case .truncated: "truncated"
        case .bodyReset: "body-reset"
        case .bodyTimeout: "body-timeout"
        case .errorStatus: "error-status"
        }
    }

    /// One sentence for the body of an error answer and for notices. It contains no address.
    public var explanation: StaticString {
        switch self {
        case .malformedRequest: "The request breaks a rule of HTTP."
        case .method: "This method is not supported."
        case .version: "This HTTP version is not supported."
        case .targetTooLong: "The request line is too long."
        case .headTooLarge: "The header section is too large."
        case .bodyTooLarge: "The body is too large."
        case .requestHeadTimeout: "The request's header section did not arrive in time."
        case .requestBodyTimeout: "The request's body did not arrive in time."
        case .clientLeft: "The client left before the end of the answer."
        case .clientTimeout: "The client did not read the answer for too long."
        case .noRoute: "No route matches this host and path."
        case .onlyIfCached: "The cache has no fresh answer, and the request forbids asking the server."
        case .misdirected: "This listener does not serve the scheme of the request."
        case .forbidden: "This method is not allowed from this address."
        case .notAllowed: "This method is not allowed here."
        case .loop: "This proxy sent the request itself: it came back in a forwarding loop."
        case .stopped: "The proxy stopped before the end of the answer."
        case .refused: "The server refused the connection."
        case .unreachable: "The server cannot be reached."
        case .noSocket: "No socket was available for a connection to the server."
        case .connectTimeout: "The connection to the server was not established in time."
        case .closed: "The server closed the connection before it answered."
        case .reset: "The server reset the connection before it answered."
        case .responseTimeout: "The server did not answer in time."
        case .malformed: "The server's answer breaks a rule of HTTP."
        case .truncated: "The server closed the connection before the end of its answer."
        case .bodyReset: "The server reset the connection in the middle of its answer."
        case .bodyTimeout: "The server stopped sending before the end of its answer."
        case .errorStatus: "The server answered with an error."
        }
    }
}
