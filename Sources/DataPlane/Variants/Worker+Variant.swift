internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Loop
internal import Store

/// Variants that a hit asks for. Helper threads make them.
extension Worker {
    /// Asks a helper thread to make a coding of the original that `key` leads to. The caller has claimed it.
    /// The claim is given back if the helpers' queue is full.
    mutating func requestVariant(
        _ coding: ContentCoding, of serial: UInt64, _ context: borrowing RequestContext
    ) {
        let job = VariantJob(
            key: scratch.key.span.copied, hash: context.keyed.hash, serial: serial, coding: coding,
            headLimit: site.routes[context.route].rules.maxHeadBytes)
        if helpers.request(job) { return }
        VariantClaim(coding: Codings(coding), serial: serial, hash: context.keyed.hash)
            .giveBack(in: store, key: scratch.key.span)
    }
}
