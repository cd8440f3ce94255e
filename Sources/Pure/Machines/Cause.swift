public import HTTP

/// Why Larder answered a request with an error of its own, or how an origin failed one. The code is part of
/// the product's interface: the access log and notices show it, and the body of such an answer says it.
///
/// Raw values start at 1, so that 0 can mean "none".
public enum Cause: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    // What the client did.
    case malformedRequest = 1
    case method, version, targetTooLong, headTooLarge, bodyTooLarge
    case requestHeadTimeout, requestBodyTimeout, clientLeft, clientTimeout
    // What Larder's own configuration or the request's own words came to.
    case noRoute, onlyIfCached, misdirected, forbidden, notAllowed, loop, stopped
    // How a server failed.
    case refused, unreachable, noSocket, connectTimeout, closed, reset, responseTimeout, malformed
    case truncated, bodyReset, bodyTimeout, errorStatus

    public init(_ refusal: Refusal) {
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

    /// What a failure is where nothing more is known of it.
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
    public var isServers: Bool { rawValue >= Self.refused.rawValue }

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

    /// In a sentence, for the body of an answer and for notices. Names no address.
    public var explanation: StaticString {
        switch self {
        case .malformedRequest: "The request breaks a rule of HTTP."
        case .method: "This method is not supported."
        case .version: "This HTTP version is not supported."
        case .targetTooLong: "The request line is too long."
        case .headTooLarge: "The header section is too large."
        case .bodyTooLarge: "The body is too large."
        case .requestHeadTimeout: "The request's header section did not come in time."
        case .requestBodyTimeout: "The request's body did not come in time."
        case .clientLeft: "The client left before the end of the answer."
        case .clientTimeout: "The client took nothing of the answer for too long."
        case .noRoute: "No route takes this host and path."
        case .onlyIfCached: "The cache has no fresh answer, and the request forbids to ask the server."
        case .misdirected: "This listener does not serve the scheme of the request."
        case .forbidden: "This method is not allowed from this address."
        case .notAllowed: "This method is not allowed here."
        case .loop: "This proxy has sent the request itself: it came back in a loop."
        case .stopped: "The proxy stopped before the end of the answer."
        case .refused: "The server refused the connection."
        case .unreachable: "The server cannot be reached."
        case .noSocket: "There was no socket for a connection to the server."
        case .connectTimeout: "The connection to the server was not made in time."
        case .closed: "The server closed the connection before it answered."
        case .reset: "The server reset the connection before it answered."
        case .responseTimeout: "The server did not answer in time."
        case .malformed: "The server's answer breaks a rule of HTTP."
        case .truncated: "The server closed the connection before the end of its answer."
        case .bodyReset: "The server reset the connection in the middle of its answer."
        case .bodyTimeout: "The server sent nothing more of its answer for too long."
        case .errorStatus: "The server answered with an error."
        }
    }
}
