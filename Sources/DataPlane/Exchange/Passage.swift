internal import Caching
internal import Compression
internal import HTTP
internal import Machines

/// The response on its way from the origin to the client and to the store.
struct Passage: ~Copyable {
    var body = BodyReader(.none, trailerLimit: 0)
    /// How the body goes to the client.
    var framing = ClientFraming.none
    /// What becomes of the head and the body on their way to the client.
    var transform = HeadTransform.none
    var recoder = Recoder.none
    /// The body, gathered for the store.
    var fill: Fill?
    /// The origin's connection may be kept after this response.
    var reusable = false

    /// The body passes through a coder.
    var isRecoded: Bool {
        // Asked first: to look at the recoder is to look at all of it.
        guard transform.changesBody else { return false }
        return switch recoder {
        case .none: false
        case .encoding: true
        case .undoing: true
        }
    }

    /// The coding that is being made as the answer passes, as a bit of a record's claims. It is not to be
    /// made again from the store.
    var claims: UInt8 {
        switch recoder {
        case .none: 0
        case .undoing: 0
        case .encoding(let encoding): encoding.variant == nil ? 0 : encoding.encoder.coding.rawValue
        }
    }
}

/// How the body goes to the client.
enum ClientFraming: Equatable {
    case none
    /// Content-Length was said; bytes go as they are.
    case length
    case chunked
    /// The close of the connection ends the body (HTTP/1.0 clients, tunnels).
    case untilClose
}
