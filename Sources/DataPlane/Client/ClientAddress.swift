/// A client's address, as origins are told of it.

internal import Bytes
public import Kernel

public struct ClientAddress: ~Copyable, Sendable {
    public let address: SocketAddress
    // The address as text, once it was asked for; empty before, and of a unix peer, whose path may be long.
    private var text = InlineArray<48, UInt8>(repeating: 0)
    private var count = 0
    private let lentInPlace = LentInPlace()

    public init(_ address: SocketAddress) { self.address = address }

    /// Writes the text down, for all requests of the connection: before the first that goes to an origin.
    @inline(__always)
    mutating func writeHost() {
        if count == 0 { writeText() }
    }

    private mutating func writeText() {
        guard !address.isUnix else { return }
        var host = ByteBuffer(capacity: 48)
        address.appendHost(to: &host)
        count = min(host.count, text.count)
        for index in 0..<count { text[index] = host.span[index] }
    }

    /// As `SocketAddress.appendHost`.
    func appendHost(to head: inout ByteBuffer) {
        if count == 0 {
            address.appendHost(to: &head)
        } else {
            head.append(text.span.extracting(first: count))
        }
    }
}
