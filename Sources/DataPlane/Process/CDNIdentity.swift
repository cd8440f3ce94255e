/// The cdn-id of a Larder (RFC 8586): by it a request that comes back is known.
///
/// Each Larder needs an id of its own. Two tiers of them are legitimate, and with a common id the second
/// would refuse what the first sends. All Larders of one network namespace listen on different addresses, and
/// the text `installation` differs between machines and containers: the id is a hash of both. So it is the
/// same after a restart, and nothing has to be stored.

internal import Bytes
internal import Kernel

enum CDNIdentity {
    /// `larder-` and sixteen hexadecimal digits.
    static func derived(installation: String, listeners: [SocketAddress]) -> String {
        let text = ([installation] + listeners.map(\.description)).joined(separator: "\n")
        var id = ByteBuffer(capacity: 24)
        id.append("larder-")
        id.append(hexadecimal: XXH3.hash64(Array(text.utf8).span, seed: 8586) | 1 << 63)
        return String(decoding: id.span.copied, as: UTF8.self)
    }
}
