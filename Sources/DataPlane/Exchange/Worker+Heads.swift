internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings

/// The heads we write: to an origin and to a client.
extension Worker {
    /// Writes the exchange's request into `out`. Its head is parsed in `request`.
    @inline(__always)
    mutating func composeRequest(_ x: Handle<Exchange>) {
        let route = exchanges[x].route
        let serverHost =
            scratch.request.authority.isEmpty ? site.servers[exchanges[x].fetch.server].authority : []
        guard let c = exchanges[x].client else {
            Self.writeRequest(
                &exchanges[x], scratch.request, serverHost.span, site.routes[route], site.forwardingFields,
                to: &scratch.out)
            return
        }
        Self.writeRequest(
            &exchanges[x], scratch.request, serverHost.span, site.routes[route], site.forwardingFields,
            peer: &clients[c].peer, to: &scratch.out)
    }

    /// Of an exchange without a client.
    @inline(never)
    private static func writeRequest(
        _ exchange: inout Exchange, _ request: borrowing RequestHead, _ serverHost: Span<UInt8>,
        _ route: borrowing Site.Route, _ forwarding: borrowing ForwardingFields, to out: inout ByteBuffer
    ) {
        guard let address = exchange.peer else { preconditionFailure("an exchange of nobody") }
        var peer = ClientAddress(address)
        writeRequest(&exchange, request, serverHost, route, forwarding, peer: &peer, to: &out)
    }

    @inline(never)
    private static func writeRequest(
        _ exchange: inout Exchange, _ request: borrowing RequestHead, _ serverHost: Span<UInt8>,
        _ route: borrowing Site.Route, _ forwarding: borrowing ForwardingFields, peer: inout ClientAddress,
        to out: inout ByteBuffer
    ) {
        OriginRequest.append(
            request, exchange.head, exchange.verdict, keyedHost: exchange.keyedHost,
            keyedTarget: exchange.keyedTarget, serverHost: serverHost, scheme: exchange.keyed.scheme,
            route.rules, forwarding,
            peer: peer, renews: exchange.renews, conditions: exchange.conditions, to: &out)
    }

    /// Writes the head for the client into `out`: the origin's answer, parsed in `response`, stands at the
    /// front of `outbound`.
    mutating func composeAnswer(_ x: Handle<Exchange>, framing: ClientFraming, interim: Bool) {
        Self.writeFields(
            scratch.response, scratch.outbound, interim ? .none : exchanges[x].answer.transform,
            interim: interim,
            to: &scratch.out)
        guard !interim else {
            if scratch.response.status == 101 {
                scratch.out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n")
            }
            scratch.out.append("\r\n")
            return
        }
        if !scratch.response.fields.contains(.date) {
            scratch.out.append("Date: ")
            date.append(now: now.times.wallSeconds, to: &scratch.out)
            scratch.out.append("\r\n")
        }
        if framing == .chunked { scratch.out.append("Transfer-Encoding: chunked\r\n") }
        if framing == .length, case .length(let n) = scratch.response.framing {
            scratch.out.append(atMost: 40) {
                $0.append("Content-Length: ")
                $0.append(decimal: n)
                $0.append("\r\n")
            }
        }
        appendForwardedStatus(x)
        if let c = exchanges[x].client {
            Self.appendConnection(
                closing: clients[c].closing, minorVersion: exchanges[x].minorVersion, to: &scratch.out)
        }
        scratch.out.append("\r\n")
    }

    /// Larder's Cache-Status of an exchange with an origin.
    @inline(__always)
    mutating func appendForwardedStatus(_ x: Handle<Exchange>) {
        guard site.routes[exchanges[x].route].caches else { return }
        Self.writeStatus(&exchanges[x], site.routes[exchanges[x].route].rules.cacheStatus, to: &scratch.out)
    }

    @inline(__always)
    private static func writeStatus(
        _ exchange: inout Exchange, _ form: Policy.CacheStatus, to out: inout ByteBuffer
    ) {
        CacheStatus.appendForward(
            exchange.fetch.forwardReason, stored: exchange.outcome.isStored, detail: exchange.outcome.reason,
            key: exchange.routingKey, form, to: &out)
    }

    /// The status line and the origin's fields, less what concerns its connection only.
    private static func writeFields(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ transform: HeadTransform,
        interim: Bool, to out: inout ByteBuffer
    ) {
        var transform = transform
        let bytes = outbound.span
        // With the status line, if it can go out as it came.
        var run = LineRun(from: 0)
        if bytes[7] != UInt8(ascii: "1") || response.reason.isEmpty {
            out.append("HTTP/1.1 ")
            out.append(decimal: UInt64(response.status))
            out.append(" ")
            out.append(bytes.slice(response.reason))
            out.append("\r\n")
            run = LineRun(from: response.fields.lines.lowerBound)
        }
        // A HEAD or 304 keeps the length it describes; elsewhere the framing says it.
        let keepsLength = response.framing == .none && response.status != 204 && !interim
        let dropped = keepsLength ? HopByHop.fields : HopByHop.fields.with(.contentLength)
        let nominatesAny = response.connection.nominatesAny
        var touched = transform.isNone ? dropped : dropped.union(transform.fields)
        if nominatesAny || !response.fields.isPlain { touched = .all }
        for index in 0..<response.fields.count where touched.contains(response.fields.id(of: index)) {
            run.leaveOut(response.fields.line(index), of: bytes, to: &out)
            let field = response.fields[index]
            if dropped.contains(field.id) || response.connection.nominates(line: index) { continue }
            transform.append(bytes.slice(field.name), bytes.slice(field.value), field.id, to: &out)
        }
        run.flush(upTo: response.fields.lines.upperBound, of: bytes, to: &out)
        if !transform.isNone { transform.finish(to: &out) }
    }

    /// `Connection`, where it says something: close, or keep-alive to an HTTP/1.0 client that asked for it.
    @inline(__always)
    static func appendConnection(closing: Bool, minorVersion: UInt8, to out: inout ByteBuffer) {
        if closing {
            out.append("Connection: close\r\n")
        } else if minorVersion == 0 {
            out.append("Connection: keep-alive\r\n")
        }
    }
}
