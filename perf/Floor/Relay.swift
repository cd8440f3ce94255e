import Bytes
import Kernel

/// The floor of a pass-through. It sends the bytes of a client on an idle connection to the origin, and the
/// bytes of the origin back to the client. It parses nothing: a request must be one receive, and a response
/// too.
struct Relay: ~Copyable {
    /// A connection. For a client, `other` is the connection to the origin that works for it. For a
    /// connection to the origin, `other` is its client.
    struct End: ~Copyable {
        let socket: Socket
        let isClient: Bool
        var other = -1
    }

    static let limit = 4096

    let origin: SocketAddress
    var poller: Poller
    /// The index is the descriptor number.
    var ends = InlineArray<4096, End?> { _ in nil }
    /// The idle connections to the origin. The most recently used one is used next.
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
        // Over loopback the handshake is complete when this returns.
        let connecting = try Socket.connect(to: origin)
        return try add(End(socket: connecting.socket, isClient: false, other: client))
    }
}
