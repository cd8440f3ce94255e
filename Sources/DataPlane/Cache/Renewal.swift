internal import Bytes
internal import Caching
internal import Store

/// A stored entry that an exchange may renew, or fall back on.
package struct Renewal: BitwiseCopyable, Equatable, Sendable {
    let serial: UInt64
    /// The fetch is sent with the entry's validators.
    var isConditional: Bool
    /// The entry may answer where the origin fails.
    let mayIfError: Bool
    /// A 304 is of no use, as one was before: what is stored instead says so (`EntryFacts`).
    let isFetchedWhole: Bool
}

extension Renewal {
    /// What a fetch may do for the entry with this serial; its conditions replace what stands in `out`.
    init(
        of serial: UInt64, _ use: StaleUse, in store: borrowing StoreThread, key: Span<UInt8>,
        _ hash: Hash128, conditionsInto out: inout ByteBuffer
    ) {
        out.removeAll()
        var isConditional = false
        // The validators of what the origin made, not those of a variant that was made of it.
        if use.hasValidator, let original = store.original(key: key, hash: hash, serial: serial) {
            isConditional = Validators.append(head: original.head, to: &out)
        }
        self.init(
            serial: serial, isConditional: isConditional, mayIfError: use.mayIfError,
            isFetchedWhole: use.isFetchedWhole)
    }
}
