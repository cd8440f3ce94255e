/// The head of a request as an origin gets it. A worker writes it, and `larder explain`.

public import Bytes
public import Caching
public import HTTP
internal import Settings

public enum OriginRequest {
    /// May the request be sent a second time, after it may have come?
    public static func isReplayable(_ request: borrowing RequestHead) -> Bool {
        request.method.isIdempotent && request.framing == .none && !request.upgradesToWebSocket
    }

    /// Appends the whole head.
    ///
    /// - Parameters:
    ///   - bytes: the buffer that `request` was parsed from.
    ///   - keyedHost, keyedTarget: these parts of the key; sent where the answer may be stored.
    ///   - serverHost: what is sent as Host where the client named none.
    ///   - scheme: the keyed one.
    ///   - peer: the client.
    ///   - renews: may the answer renew what is stored, whatever the method?
    ///   - conditions: the field lines of a revalidation.
    @inline(__always)
    public static func append(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, _ verdict: RequestVerdict,
        keyedHost: Span<UInt8>, keyedTarget: Span<UInt8>, serverHost: Span<UInt8>, scheme: Scheme,
        _ rules: borrowing Rules,
        _ forwarding: borrowing ForwardingFields, peer: borrowing ClientAddress,
        renews: Bool = false, conditions: Span<UInt8> = Span(), to out: inout ByteBuffer
    ) {
        // What a HEAD brings becomes part of a stored answer (RFC 9111 §4.3.5).
        let stores = verdict.mayStore || renews
        // With the space behind it, and without an empty line before it.
        let method = bytes.extracting(
            request.methodName.range.lowerBound..<(request.methodName.range.upperBound &+ 1))
        let fetchWholeInstead = request.method == .head && verdict.method == .get
        // What is not keyed must not shape the answer: host and query are the key's.
        let host =
            request.authority.isEmpty ? serverHost : stores ? keyedHost : bytes.slice(request.authority)
        let target = stores ? keyedTarget : bytes.extracting(request.pathAndQuery)
        out.append(atMost: method.count &+ target.count &+ host.count &+ 20) { room in
            if fetchWholeInstead { room.append("GET ") } else { room.append(method) }
            if !stores, request.path.isEmpty { room.append("/") }
            room.append(target)
            room.append(" HTTP/1.1\r\nHost: ")
            room.append(host)
            room.append("\r\n")
        }
        let nominatesAny = request.connection.nominatesAny
        // The length is said by the framing below.
        let withheld = rules.withheld(storable: stores, trusted: request.fields.trustsClaims)
            .with(.contentLength)
        let touched = nominatesAny || !request.fields.isPlain ? .all : withheld
        var run = LineRun(from: request.fields.lines.lowerBound)
        for index in 0..<request.fields.count where touched.contains(request.fields.id(of: index)) {
            run.leaveOut(request.fields.line(index), of: bytes, to: &out)
            let field = request.fields[index]
            if withheld.contains(field.id) || request.connection.nominates(line: index) { continue }
            out.append(name: bytes.slice(field.name), value: bytes.slice(field.value))
        }
        run.flush(upTo: request.fields.lines.upperBound, of: bytes, to: &out)
        if stores {
            let codings = verdict.codings.fieldValue
            out.append(atMost: codings.utf8CodeUnitCount &+ conditions.count &+ 19) { room in
                room.append("Accept-Encoding: ")
                room.append(codings)
                room.append("\r\n")
                room.append(long: conditions)
            }
        }
        switch request.framing {
        case .length(let n):
            out.append("Content-Length: ")
            out.append(decimal: n)
            out.append("\r\n")
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose: break
        }
        if request.upgradesToWebSocket { out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
        forwarding.append(request, bytes, peer: peer, host: host, scheme: scheme, to: &out)
        out.append("\r\n")
    }
}

extension RequestHead {
    /// Path and query as they came, which stand side by side.
    fileprivate var pathAndQuery: Range<Int> {
        path.range.lowerBound..<(hasQuery ? query : path).range.upperBound
    }
}
