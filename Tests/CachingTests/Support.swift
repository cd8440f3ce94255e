/// Heads made from text, so that a test reads like the bytes on the wire.
import Bytes
import HTTP
import Settings

@testable import Caching

/// A request head in the buffer it was parsed from.
struct RequestSample: ~Copyable {
    var buffer: ByteBuffer
    var head: RequestHead

    init(
        _ method: String = "GET", _ target: String = "/", host: String? = "example.com",
        _ headers: [String] = []
    ) {
        var text = ByteBuffer(capacity: 1024)
        text.append(text: "\(method) \(target) HTTP/1.\(host == nil ? 0 : 1)\r\n")
        if let host { text.append(text: "Host: \(host)\r\n") }
        for line in headers { text.append(text: "\(line)\r\n") }
        text.append("\r\n")
        var parsed = RequestHead()
        var scan = HeadScan()
        let result = parsed.parse(text.span, limits: DecisionText.limits, scan: &scan)
        precondition(result == .complete(text.count), "\(result)")
        head = parsed
        buffer = text
    }

    func verdict(_ policy: Policy = Policy(name: "test"), clientCertificate: Bool = false) -> RequestVerdict {
        Rules(policy: policy, upstream: "origin").judge(
            head, buffer.span, clientCertificate: clientCertificate)
    }

    /// The key from `routingStart` on, its target, or the reason of the refusal.
    func key(
        _ policy: Policy = Policy(name: "test"), scheme: Scheme = .http
    ) -> (
        routing: String, target: String
    ) {
        var key = ByteBuffer(capacity: 64)
        switch Rules(policy: policy, upstream: "origin").writeKey(
            head, buffer.span, scheme: scheme, into: &key)
        {
        case .refused(let reason): return (String(describing: reason.code), "")
        case .key(let routingStart, let targetStart):
            let bytes = key.span.copied
            return (
                String(decoding: bytes[routingStart...], as: UTF8.self),
                String(decoding: bytes[targetStart...], as: UTF8.self)
            )
        }
    }
}

/// A response head in the buffer it was parsed from.
struct ResponseSample: ~Copyable {
    var buffer: ByteBuffer
    var head: ResponseHead

    init(
        _ status: Int = 200, _ headers: [String] = [], reason: String = "OK", method: HTTP.Method = .get
    ) {
        var text = ByteBuffer(capacity: 1024)
        text.append(text: "HTTP/1.1 \(status) \(reason)\r\n")
        for line in headers { text.append(text: "\(line)\r\n") }
        text.append("\r\n")
        var parsed = ResponseHead()
        var scan = HeadScan()
        let result = parsed.parse(text.span, limits: DecisionText.limits, scan: &scan, requestMethod: method)
        precondition(result == .complete(text.count), "\(result)")
        head = parsed
        buffer = text
    }

    /// The stored head, or the reason of the refusal.
    func stored(bodyCount: Int = 5, limit: Int = 4096, transform: HeadTransform = .none) -> String {
        var stored = ByteBuffer(capacity: 64)
        let refusal = StoredHead.write(
            head, buffer.span, bodyCount: bodyCount, receivedSeconds: 1_767_225_600, limit: limit,
            transform: transform, into: &stored)
        return refusal.map { String(describing: $0.code) } ?? stored.span.string
    }
}

extension Policy {
    /// A copy with some settings changed.
    func with(_ change: (inout Policy) -> Void) -> Policy {
        var policy = self
        change(&policy)
        return policy
    }

    /// The settings that the shipped `rfc9111` loosens.
    static var liberal: Policy {
        Policy(name: "rfc9111").with {
            $0.store.statuses = .any
            $0.store.heuristicPercent = 10
            $0.store.reading = .rfc
            $0.store.authorization = .explicit
            $0.store.vary = .any
            $0.store.noCache = .revalidate
            $0.store.maxAgeSeconds = 1 << 31
            $0.serve.stale = .rfc
        }
    }
}

extension ByteBuffer {
    init(_ text: String) {
        self.init(capacity: text.utf8.count)
        append(text: text)
    }
}
