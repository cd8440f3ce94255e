/// An origin with one response. It accepts connections one after the other, reads a request's head on each,
/// sends the response, and then closes or stands still. It has one thread, and ends when told to.

import Bytes
import Foundation
import Kernel
import Synchronization

final class Origin: Sendable {
    enum End: Sendable { case close, stall }

    let port: UInt16
    private let bell: EventCounter
    private let heads = Mutex<[String]>([])
    private let ended = DispatchSemaphore(value: 0)

    /// The heads of the requests.
    var seen: [String] { heads.withLock { $0 } }

    init(_ answer: String, then end: End = .close) throws {
        let listener = try Listener.bind(.anyLoopbackPort)
        port = listener.localAddress?.port ?? 0
        bell = try EventCounter()
        let seed = Mutex<Listener?>(consume listener)
        let thread = Foundation.Thread { [self] in
            if let listener = seed.withLock({ $0.take() }) { try? serve(listener, answer, end) }
            ended.signal()
        }
        thread.start()
    }

    func stop() {
        bell.signal()
        ended.wait()
    }

    private func serve(_ listener: consuming Listener, _ answer: String, _ end: End) throws {
        var poller = try Poller()
        try poller.addReadable(bell.raw, token: 0)
        try poller.addReadable(listener.raw, token: 1)
        while true {
            guard try wait(&poller) else { return }
            guard case .connection(let accepted) = listener.accept() else { continue }
            var connection = try Poller()
            try connection.addReadable(bell.raw, token: 0)
            try connection.addReadable(accepted.socket.raw, token: 1)
            var received = ByteBuffer(capacity: 4096)
            while !received.span.string.contains("\r\n\r\n") {
                guard try wait(&connection) else { return }
                guard case .bytes = accepted.socket.receive(into: &received, atMost: 4096) else { break }
            }
            heads.withLock { $0.append(received.span.string) }
            // Short responses: the kernel takes them whole.
            _ = accepted.socket.send(Array(answer.utf8).span)
            if end == .stall {
                // Until the client has closed.
                while try wait(&connection) {
                    guard case .bytes = accepted.socket.receive(into: &received, atMost: 4096) else { break }
                }
            }
        }
    }

    /// - Returns: false when told to end.
    private func wait(_ poller: inout Poller) throws -> Bool {
        while true {
            let count = poller.wait(timeoutMilliseconds: nil)
            for index in 0..<count where poller[index].token == 0 { return false }
            if count > 0 { return true }
        }
    }
}
