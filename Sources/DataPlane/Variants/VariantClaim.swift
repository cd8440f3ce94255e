internal import Bytes
internal import Caching
internal import Compression
internal import Store

/// The claim to make one coding of a stored body. The store keeps it as a mark on the original's record, so
/// that the coding is made once.
///
/// Workers and helper threads claim codings. A claim is given back if the variant could not be made or stored
/// this time. It stays if the variant is not worth its memory, so that nobody tries again.
struct VariantClaim {
    let coding: Codings
    /// The original's serial.
    let serial: UInt64
    /// The hash of the original's key.
    let hash: Hash128

    /// Claims a coding on the record in `view`, and also on its original if the record is a variant itself.
    /// - Returns: whether the caller has the claim now. False if somebody has it already.
    @inline(__always)
    static func take(
        _ coding: ContentCoding, of view: RecordView, in store: borrowing StoreThread, _ key: Span<UInt8>,
        _ hash: Hash128
    ) -> Bool {
        guard store.isUnclaimed(view, coding: coding.rawValue), store.claim(view, coding: coding.rawValue)
        else { return false }
        guard view.isDerived else { return true }
        guard let original = store.original(key: key, hash: hash, serial: view.serial) else { return false }
        return store.claim(original, coding: coding.rawValue)
    }

    /// Gives the claim back. If a renewal replaced the original's record, the claim moved to the new record,
    /// and is given back there. Only within a turn of the store.
    func giveBack(in store: borrowing StoreThread, key: Span<UInt8>) {
        store.disclaim(coding: coding.rawValue, of: serial, hash: hash)
        let present = store.lookup(key: key, hash: hash) { facts, _ in
            EntryFacts(facts).flags.contains(.compressible) ? 1 : 0
        }
        if let present, present.serial != serial {
            store.disclaim(coding: coding.rawValue, of: present.serial, hash: hash)
        }
    }
}
