import Bytes
import Kernel
import SystemPackage

/// The floor with which Larder is compared: the least work of a server that uses these system calls.
///
/// `floor [body bytes] [port] [close]` listens on 127.0.0.1 (port 0: a free port, which it prints) with one
/// thread, edge-triggered. It answers each receive into one fixed buffer with one send of one fixed response.
/// It parses nothing and takes each receive for one whole request. That is right for keep-alive clients
/// without pipelining. With `close` it sends `Connection: close` and closes each connection after its answer.
/// `floor relay ORIGIN-PORT [port]` is the floor of a proxy (see `Relay`).
@main
enum Floor {
    static let listenerToken = UInt64.max
    static let connectionLimit = 4096

    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.count > 2, arguments[1] == "relay" {
            let listener = try listen(arguments.count > 3 ? arguments[3] : "")
            var relay = try Relay(origin: UInt16(arguments[2]) ?? 0)
            try relay.run(listener)
        }
        let bodySize = arguments.count > 1 ? Int(arguments[1]) ?? 1024 : 1024
        let listener = try listen(arguments.count > 2 ? arguments[2] : "")
        let closes = arguments.count > 3 && arguments[3] == "close"
        try run(listener, response: response(bodySize: bodySize, closes: closes), closes: closes)
    }

    static func listen(_ port: String) throws -> Listener {
        let listener = try Listener.bind(.ipv4(0x7f00_0001, port: UInt16(port) ?? 0))
        // Do not use print: its output to a pipe stays in a buffer.
        try FileDescriptor.standardOutput.writeAll("\(listener.localAddress?.port ?? 0)\n".utf8)
        return listener
    }

    static func response(bodySize: Int, closes: Bool) -> ByteBuffer {
        var response = ByteBuffer(capacity: bodySize + 128)
        response.append("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ")
        response.append(decimal: UInt64(bodySize))
        if closes { response.append("\r\nConnection: close") }
        response.append("\r\n\r\n")
        for _ in 0..<bodySize { response.append(UInt8(ascii: "x")) }
        return response
    }

    static func run(
        _ listener: borrowing Listener, response: borrowing ByteBuffer, closes: Bool
    ) throws {
        // The kernel hands over a connection only with its request, so it needs no second event.
        if closes { listener.deferUntilBytes() }
        var poller = try Poller()
        try poller.addListener(listener.raw, token: listenerToken)
        // The index is the descriptor number.
        var connections = InlineArray<4096, Socket?> { _ in nil }
        var scratch = ByteBuffer(capacity: 65536)
        while true {
            let count = poller.wait(timeoutMilliseconds: nil)
            for index in 0..<count {
                let event = poller[index]
                if event.token == listenerToken {
                    guard case .connection(let accepted) = listener.accept() else { continue }
                    let socket = accepted.socket
                    let number = Int(socket.raw)
                    guard number < connectionLimit else { continue }
                    if closes, socket.answer(with: response, &scratch) != .nothing { continue }
                    try poller.add(socket.raw, token: UInt64(number))
                    connections[number] = consume socket
                } else if event.readable {
                    let number = Int(event.token)
                    let outcome = connections[number]?.answer(with: response, &scratch)
                    if closes && outcome == .answered || outcome == .ended { connections[number] = nil }
                }
            }
        }
    }
}

/// Handles one receive and one send.
private enum Outcome { case answered, nothing, ended }

extension Socket {
    fileprivate func answer(with response: borrowing ByteBuffer, _ scratch: inout ByteBuffer) -> Outcome {
        scratch.removeAll()
        switch receive(into: &scratch, atMost: 65536) {
        case .bytes:
            if case .bytes(response.count) = send(response.span) { return .answered }
            return .ended
        case .wouldBlock: return .nothing
        default: return .ended
        }
    }
}
