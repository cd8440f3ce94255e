/// Which client a request comes from, where a trusted proxy is the peer: for the access log.
internal import Bytes
internal import HTTP
internal import Kernel

extension ForwardingFields {
    /// Proxies looked at, from the nearest on. (A client writes as many as it likes before them.)
    private static var hopLimit: Int { 16 }

    /// Where in `bytes` the client's address stands: the last one in `X-Forwarded-For` (or, without that, in
    /// `Forwarded`) that is no trusted proxy's; the first, where all are. Empty where the peer is not trusted
    /// or says nothing that can be read: then the peer is the client.
    func client(
        of request: borrowing RequestHead, _ bytes: Span<UInt8>, peer: SocketAddress
    ) -> Range<Int> {
        guard trusts(peer) else { return 0..<0 }
        let isPlain = request.fields.contains(.xForwardedFor)
        guard isPlain || request.fields.contains(.forwarded) else { return 0..<0 }
        return client(isPlain ? .xForwardedFor : .forwarded, request, bytes)
    }

    private func client(
        _ name: FieldName, _ request: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> Range<Int> {
        var found = 0..<0
        var hops = 0
        for index in request.fields.range(of: name).reversed() where request.fields.id(of: index) == name {
            let value = request.fields[index].value.range
            var end = value.upperBound
            while end >= value.lowerBound, hops < Self.hopLimit {
                var start = end
                while start > value.lowerBound, bytes[start - 1] != UInt8(ascii: ",") { start -= 1 }
                hops += 1
                let node = name == .forwarded ? Self.node(of: start..<end, bytes) : start..<end
                guard let host = Self.host(of: node, bytes), let address = Self.address(host, bytes) else {
                    return found
                }
                found = host
                guard trusts(address) else { return found }
                end = start - 1
            }
        }
        return found
    }

    /// The value of `for` in an element of `Forwarded`.
    private static func node(of element: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int> {
        var start = element.lowerBound
        while start < element.upperBound {
            var end = start
            while end < element.upperBound, bytes[end] != UInt8(ascii: ";") { end += 1 }
            let pair = trimmed(start..<end, bytes)
            if pair.count > 4, bytes.extracting(pair).extracting(first: 4).equalsIgnoringCase("for=") {
                return (pair.lowerBound + 4)..<pair.upperBound
            }
            start = end + 1
        }
        return 0..<0
    }

    /// The address of a node: without white space, quotes, brackets and port.
    private static func host(of node: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int>? {
        var node = trimmed(node, bytes)
        let quote = UInt8(ascii: "\"")
        if node.count > 2, bytes[node.lowerBound] == quote, bytes[node.upperBound - 1] == quote {
            node = (node.lowerBound + 1)..<(node.upperBound - 1)
        }
        guard !node.isEmpty else { return nil }
        if bytes[node.lowerBound] == UInt8(ascii: "[") {
            guard let end = node.first(where: { bytes[$0] == UInt8(ascii: "]") }) else { return nil }
            return (node.lowerBound + 1)..<end
        }
        // One colon is a port's; more are those of IPv6.
        let colons = node.filter { bytes[$0] == UInt8(ascii: ":") }
        return colons.count == 1 ? node.lowerBound..<colons[0] : node
    }

    private static func address(_ host: Range<Int>, _ bytes: Span<UInt8>) -> SocketAddress? {
        guard !host.isEmpty, host.count < 46 else { return nil }
        return SocketAddress(ip: bytes.extracting(host).string, port: 0)
    }

    private static func trimmed(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, ASCII.isBlank(bytes[start]) { start += 1 }
        while end > start, ASCII.isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}
