/// What proxies before Larder say a client asked for: the scheme, and the host.
///
/// Each proxy has its word behind those of the ones before it (RFC 7239 §4), and anybody may have written the
/// first. So of a trusted proxy the last word alone is taken, which is its own. But origins read all of them,
/// and mostly the first: where one names another scheme or host than the key has, its answer is not what the
/// key stands for.
internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel

extension ForwardingFields {
    /// All fields in which a client speaks as a proxy does.
    static var claims: FieldSet {
        FieldSet.claims.with(.xForwardedFor).with(.xForwardedProto).with(.xForwardedHost).with(.forwarded)
    }

    struct Told: BitwiseCopyable {
        /// The one to key: a trusted proxy's word, else the listener's.
        var scheme = Scheme.http
        /// Nothing that goes on to the origin names another scheme or host.
        var isKeyed = true
    }

    /// What `X-Forwarded-Proto`, `X-Forwarded-Host` and `Forwarded` come to in a request of `peer`.
    @inline(never)
    func told(_ request: borrowing RequestHead, _ bytes: Span<UInt8>, peer: SocketAddress) -> Told {
        var told = Told()
        guard trusts(peer) else { return told }
        if request.fields.contains(.xForwardedProto) {
            Self.eachMember(of: .xForwardedProto, request, bytes) { told.scheme = Self.scheme($0) ?? .http }
        } else {
            Self.eachPair(request, bytes) { name, value, isFirst in
                if isFirst { told.scheme = .http }
                if name.equalsIgnoringCase("proto") { told.scheme = Self.scheme(value) ?? .http }
            }
        }
        // What is written anew says what is keyed.
        if !sendsXForwarded {
            Self.eachMember(of: .xForwardedProto, request, bytes) {
                if Self.scheme($0) != told.scheme { told.isKeyed = false }
            }
        }
        Self.eachMember(of: .xForwardedHost, request, bytes) {
            if !Self.isHost($0, of: request, bytes, told.scheme) { told.isKeyed = false }
        }
        Self.eachPair(request, bytes) { name, value, _ in
            if name.equalsIgnoringCase("proto"), Self.scheme(value) != told.scheme { told.isKeyed = false }
            if name.equalsIgnoringCase("host"), !Self.isHost(value, of: request, bytes, told.scheme) {
                told.isKeyed = false
            }
        }
        return told
    }

    /// nil for what is neither: who knows what an origin takes it for.
    private static func scheme(_ text: Span<UInt8>) -> Scheme? {
        text.equalsIgnoringCase("https") ? .https : text.equalsIgnoringCase("http") ? .http : nil
    }

    /// Is this the host, with the port, that the request is keyed by?
    private static func isHost(
        _ text: Span<UInt8>, of request: borrowing RequestHead, _ bytes: Span<UInt8>, _ scheme: Scheme
    ) -> Bool {
        guard let authority = Authority(text) else { return false }
        // Letter by letter but for their case: what goes on to the origin is this spelling, and the key's is
        // another.
        let count = authority.host.count
        let isSpelledSo = count == text.count || text[count] == UInt8(ascii: ":")
        return isSpelledSo && text.extracting(authority.host).equalsIgnoringCase(request.host(in: bytes))
            && authority.port ?? scheme.defaultPort == request.port ?? scheme.defaultPort
    }

    /// The members of the lines of a list. No quotes: an origin may know none.
    static func eachMember(
        of name: FieldName, _ request: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ body: (Span<UInt8>) -> Void
    ) {
        for index in request.fields.range(of: name) where request.fields.id(of: index) == name {
            let value = bytes.slice(request.fields[index].value)
            var start = 0
            while start <= value.count {
                let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
                body(value.extracting(start..<end).trimmed())
                start = end + 1
            }
        }
    }

    /// The pairs of all elements of `Forwarded`, without the quotes around a value. (Those inside of one are
    /// pairs as well, as they are to an origin that knows no quotes.)
    /// - Parameter body: gets name, value, and whether the pair begins an element.
    static func eachPair(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ body: (Span<UInt8>, Span<UInt8>, Bool) -> Void
    ) {
        eachMember(of: .forwarded, request, bytes) { element in
            var start = 0
            while start <= element.count, !element.isEmpty {
                let end = element.firstIndex(of: UInt8(ascii: ";"), from: start) ?? element.count
                let pair = element.extracting(start..<end)
                let nameEnd = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
                var value = pair.extracting(droppingFirst: min(nameEnd + 1, pair.count)).trimmed()
                if value.count > 1, value[0] == 0x22, value[value.count - 1] == 0x22 {
                    value = value.extracting(1..<(value.count - 1))
                }
                body(pair.extracting(first: nameEnd).trimmed(), value, start == 0)
                start = end + 1
            }
        }
    }
}
