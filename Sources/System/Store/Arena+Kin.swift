internal import Bytes
internal import Eviction

/// What a writer wants to know of the index before it takes a slot.
extension Arena {
    /// What is there already of a key.
    struct Kin {
        /// The bucket that holds its records; all are kept in one, so that a hit reads one bucket.
        var bucket: Int?
        /// The record with the same Vary values and coding.
        var twin: (offset: Int, frequency: UInt8)?
        /// Derived ones left out.
        var originals = 0
        /// The slot of the key's oldest original, and of its oldest derived record.
        var oldest: Int?
        var oldestDerived: Int?
        /// The serial whose records go, and the slot of the one that the new record renews.
        var renewed: (serial: UInt64, slot: Int)?
    }

    func kin(
        of key: borrowing Span<UInt8>, vary: borrowing Span<UInt8>, coding: UInt8, hash: Hash128
    ) -> Kin {
        let tag = Slot.tag(hash.high)
        var kin = Kin()
        var oldestSerial = UInt64.max
        var oldestDerivedSerial = UInt64.max
        for index in slots(of: hash) {
            guard let (header, _) = live(index, tag, key) else { continue }
            let bucket = index & ~7
            if kin.bucket == nil { kin.bucket = bucket }
            if header.isDerived {
                if header.serial < oldestDerivedSerial, kin.bucket == bucket {
                    oldestDerivedSerial = header.serial
                    kin.oldestDerived = index
                }
            } else {
                kin.originals += 1
                if header.serial < oldestSerial, kin.bucket == bucket {
                    oldestSerial = header.serial
                    kin.oldest = index
                }
            }
            if header.coding == coding, header.varyCount == vary.count, equals(vary, header.vary) {
                kin.twin = (header.offset, frequency(index))
            }
        }
        return kin
    }

    /// The slot for a new record, with its present value: empty if there is an empty one. nil where a derived
    /// record would drive out originals of its own key.
    func slotToFill(hash: Hash128, kin: Kin, isDerived: Bool) -> (index: Int, value: UInt64)? {
        if let bucket = kin.bucket {
            let choice = bestSlot(in: bucket, sparing: isDerived ? Slot.tag(hash.high) : nil)
            guard choice.value != 0 else { return (choice.index, choice.value) }
            if let renewed = kin.renewed {
                return isDerived ? nil : (renewed.slot, loadAcquiring(slotOffset(renewed.slot)))
            }
            if isDerived, kin.originals >= 7 || choice.value == .max { return nil }
            // Records of one key fill the bucket: a derived one makes room, or else the oldest.
            if kin.originals >= 8 || isDerived || kin.oldestDerived != nil,
                let oldest = kin.oldestDerived ?? (isDerived ? nil : kin.oldest)
            {
                return (oldest, loadAcquiring(slotOffset(oldest)))
            }
            return (choice.index, choice.value)
        }
        let first = bestSlot(in: firstBucket(hash))
        // The first bucket while it has room to spare: most hits then read one bucket only.
        if first.used <= 5 { return (first.index, first.value) }
        let second = bestSlot(in: secondBucket(hash))
        if second.used < first.used || second.used == first.used && second.frequency < first.frequency {
            return (second.index, second.value)
        }
        return (first.index, first.value)
    }

    /// An empty slot, or the one hit least.
    /// - Parameter tag: of a key whose originals are left alone. Where there is nothing else, the value is
    ///   `UInt64.max`.
    private func bestSlot(
        in bucket: Int, sparing tag: UInt64? = nil
    ) -> (index: Int, value: UInt64, used: Int, frequency: UInt8) {
        var best = (index: bucket, value: UInt64.max, used: 0, frequency: UInt8.max)
        for index in bucket..<bucket + 8 {
            let value = loadAcquiring(slotOffset(index))
            if value == 0 {
                if best.value != 0 { best = (index, 0, best.used, 0) }
                continue
            }
            best.used += 1
            if best.value == 0 { continue }
            if let tag, leadsToOriginal(value, tag) { continue }
            let frequency = frequency(index)
            if best.value == .max || frequency < best.frequency {
                best = (index, value, best.used, frequency)
            }
        }
        return best
    }

    /// Does the slot lead to an original of a key with this tag, pending or live?
    private func leadsToOriginal(_ slot: UInt64, _ tag: UInt64) -> Bool {
        guard Slot.matches(slot, tag),
            let header = RecordHeader.read(self, Slot.offset(slot), limit: geometry.areaEnd)
        else { return false }
        return !header.isDerived
    }

    /// The queue of the segment that holds a record.
    func queue(at offset: Int) -> Queue {
        segmentWord(geometry.segment(at: offset)).queue == 0 ? .small : .main
    }
}
