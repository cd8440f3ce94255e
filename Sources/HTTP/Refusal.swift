/// Why a message is refused. The parser's owner answers with `status` and closes.
public enum Refusal: UInt8, Sendable, CaseIterable {
    case requestLine, target, method, version, fieldLine, fieldValue, host, framing, headTooLarge
    case targetTooLong, bareLineBreak, chunk, trailers, bodyTooLarge

    /// The status for a request so refused; an origin's answer so refused is a 502.
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
}
