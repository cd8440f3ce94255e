internal import Caching
internal import HTTP
internal import Loop
internal import Machines

/// The response on its way from the origin to the client and to the store.
struct Passage: ~Copyable {
    var body = BodyReader(.none, trailerLimit: 0)
    /// How the body goes to the client.
    var framing = ClientFraming.none
    /// What becomes of the head and the body on their way to the client.
    var transform = HeadTransform.none
    /// In `Worker.encodings`: compresses the body. `none`: nothing does.
    var encoding = Handle<Encoding>.none
    /// In `Worker.undoings`: the body is a stored one that is being decoded. `none`: it is not.
    var undoing = Handle<Undoing>.none
    /// The coding that is being made as the answer passes, as a bit of a record's claims. It is not to be
    /// made again from the store.
    var claims: UInt8 = 0
    /// The body, gathered for the store.
    var fill: Fill?
    /// The origin's connection may be kept after this response.
    var reusable = false

    /// The body is compressed on its way.
    var isEncoded: Bool { encoding != .none }
    /// The body comes from the store.
    var isUndone: Bool { undoing != .none }
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
