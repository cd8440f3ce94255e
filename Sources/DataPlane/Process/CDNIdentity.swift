/// The cdn-id of a Larder (RFC 8586). A Larder recognises by it a request that comes back to it.
///
/// Each Larder needs its own id. Two tiers of Larders are legitimate: with a common id the second tier would
/// refuse the requests of the first. All Larders in one network namespace listen on different addresses. The
/// text `installation` differs between machines and containers. The id is a hash of both, so it is the same
/// after a restart, and nothing has to be stored.

internal import Bytes
internal import Kernel

enum CDNIdentity {
    /// Returns `larder-` and sixteen hexadecimal digits.
    static func derived(installation: String, listeners: [SocketAddress]) -> String {
        let text = ([installation] + listeners.map(\.description)).joined(separator: "\n")
        var id = ByteBuffer(capacity: 24)
        id.append("larder-")
        id.append(hexadecimal: XXH3.hash64(Array(text.utf8).span, seed: 8586) | 1 << 63)
        return String(decoding: id.span.copied, as: UTF8.self)
    }
}
