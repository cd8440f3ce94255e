/// The rule that a refused message breaks. Larder answers with `status` and closes the connection.
public enum BrokenRule: UInt8, Sendable, CaseIterable {
    case requestLine, target, method, version, fieldLine, fieldValue, host, framing, headTooLarge
    case targetTooLong, bareLineBreak, chunk, trailers, bodyTooLarge

    /// The status for a refused request. A refused response of an origin is answered with 502 instead.
    public var status: UInt16 {
        switch self {
        case .version: 505
        case .method: 501
        case .targetTooLong: 414
        case .headTooLarge, .trailers: 431
        case .bodyTooLarge: 413
        case .requestLine, .target, .fieldLine, .fieldValue, .host, .framing, .bareLineBreak, .chunk: 400
        }
    }

    /// The name of the rule in the access log and in notices.
    public var code: StaticString {
        switch self {
        case .requestLine: "start-line"
        case .target: "target"
        case .method: "method"
        case .version: "version"
        case .fieldLine: "field-line"
        case .fieldValue: "field-value"
        case .host: "host"
        case .framing: "framing"
        case .headTooLarge: "head-too-large"
        case .targetTooLong: "target-too-long"
        case .bareLineBreak: "bare-line-break"
        case .chunk: "chunk"
        case .trailers: "trailers"
        case .bodyTooLarge: "body-too-large"
        }
    }

    /// The rule in one sentence, for the body of the answer.
    public var explanation: StaticString {
        switch self {
        case .requestLine: "The request line is not: method, space, target, space, HTTP version."
case .target: "The request target is not a valid path or URL."
        case .method: "This method is not supported."
        case .version: "This HTTP version is not supported."
        case .fieldLine: "A header line is not: name, colon, value."
case .fieldValue: "A header value contains a control character."
case .host: "There must be exactly one valid Host."
case .framing: "Content-Length and Transfer-Encoding do not state clearly where the body ends."
        case .headTooLarge: "The header section is too large."
        case .targetTooLong: "The request line is too long."
        case .bareLineBreak: "A line does not end in CR LF."
        case .chunk: "The body breaks the rules of chunked coding."
        case .trailers: "The trailer section is too large or malformed."
        case .bodyTooLarge: "The body is too large."
        }
    }
}
