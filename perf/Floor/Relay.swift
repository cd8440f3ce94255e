import Bytes
import Kernel

/// The floor of a pass-through: what comes from a client is sent on an idle connection to the origin as it
/// came, and what comes back to the client. It parses nothing: a request must be one receive, and so must its
/// answer.
struct Relay: ~Copyable {
    /// One end: of a client, whose `other` is the connection that works for it; of the origin, whose `other`
    /// is the client.
    struct End: ~Copyable {
        let socket: Socket
        let isClient: Bool
        var other = -1
    }

    static let limit = 4096

    let origin: SocketAddress
    var poller: Poller
    /// Indexed by descriptor number.
    var ends = InlineArray<4096, End?> { _ in nil }
    /// Connections to the origin that nobody uses; the last used is the next.
    var idle: [Int] = []
    var scratch = ByteBuffer(capacity: 65_536)

    init(origin: UInt16) throws {
        self.origin = .ipv4(0x7f00_0001, port: origin)
        poller = try Poller()
    }

    mutating func run(_ listener: borrowing Listener) throws {
        let listening = UInt64.max
        try poller.addListener(listener.raw, token: listening)
        while true {
            let count = poller.wait(timeoutMilliseconds: nil)
            for index in 0..<count {
                let event = poller[index]
                if event.token == listening {
                    if case .connection(let accepted) = listener.accept() {
                        _ = try add(End(socket: accepted.socket, isClient: true))
                    }
                } else if event.readable {
                    try relay(Int(event.token))
                }
            }
        }
    }

    private mutating func add(_ end: consuming End) throws -> Int? {
        let number = Int(end.socket.raw)
        guard number < Self.limit else { return nil }
        try poller.add(end.socket.raw, token: UInt64(number))
        ends[number] = consume end
        return number
    }

    private mutating func relay(_ number: Int) throws {
        scratch.removeAll()
        guard case .bytes = ends[number]?.socket.receive(into: &scratch, atMost: 65_536) else {
            if ends[number]?.isClient == true { ends[number] = nil }
            return
        }
        let isClient = ends[number]?.isClient == true
        guard let other = isClient ? try originConnection(for: number) : ends[number]?.other else { return }
        if !isClient { idle.append(number) }
        guard case .bytes(scratch.count) = ends[other]?.socket.send(scratch.span) else {
            ends[other] = nil
            return
        }
    }

    private mutating func originConnection(for client: Int) throws -> Int? {
        if let number = idle.popLast() {
            ends[number]?.other = client
            return number
        }
        // Over loopback the handshake is over when this returns.
        let connecting = try Socket.connect(to: origin)
        return try add(End(socket: connecting.socket, isClient: false, other: client))
    }
}
