/// The renewal of an entry as the store has it.
internal import Bytes
internal import Caching
internal import Machines
internal import Store

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
