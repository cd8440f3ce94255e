internal import Kernel

/// The header, the rows and their addresses.
extension Arena {
    /// Writes the header of an empty store into zeroed memory.
    func format() {
        store(Geometry.magic, Header.magic)
        store(Geometry.version, Header.version)
        store(UInt64(geometry.memory), Header.memory)
        store(UInt64(geometry.memoryMax), Header.memoryMax)
        store(UInt64(geometry.rowCount), Header.rows)
        store(UInt64(geometry.segmentOption), Header.segmentOption)
        store(seed, Header.seed)
        store(1, Header.epoch)
    }

    /// The geometry and seed of a segment that somebody else formatted; nil if this code doesn't know its
    /// layout.
    static func inspect(_ memory: borrowing SharedMemory) -> (Geometry, UInt64)? {
        guard memory.size >= Header.bytes else { return nil }
        func word(_ offset: Int) -> UInt64 {
            // Inside the first page, which `size` covers.
            unsafe memory.base.load(fromByteOffset: offset, as: UInt64.self)
        }
        guard word(Header.magic) == Geometry.magic, word(Header.version) == Geometry.version else {
            return nil
        }
        guard let bytes = Int(exactly: word(Header.memory)), let most = Int(exactly: word(Header.memoryMax)),
            let rows = Int(exactly: word(Header.rows)), let option = Int(exactly: word(Header.segmentOption)),
            most <= memory.size,
            let geometry = Geometry(
                memory: bytes, memoryMax: most, rows: rows, segmentBytes: option == 0 ? nil : option)
        else { return nil }
        return (geometry, word(Header.seed))
    }

    @inlinable @inline(__always)
    func row(_ index: Int) -> Int { Header.bytes &+ index &* Row.bytes }

    /// Makes every record prove itself by its checksum before its next use.
    func setNonce(_ random: UInt64) {
        while true {
            let mark = load(Header.mark)
            // Never 0, never the present one.
            let drawn = max(random >> 32, 1)
            let nonce = drawn == Mark.nonce(mark) ? Mark.nextNonce(drawn) : drawn
            if compareExchange(mark, nonce << 32 | mark & 0xffff_ffff, Header.mark) { return }
        }
    }

    /// Adds to a counter of the caller's own row.
    @inline(__always)
    func count(_ field: Int, row: Int, _ delta: Int = 1) {
        let offset = self.row(row) + field
        store(load(offset) &+ UInt64(bitPattern: Int64(delta)), offset)
    }

    /// The lowest epoch of all online rows; UInt64.max when all are offline.
    func oldestEpoch() -> UInt64 {
        var oldest = UInt64.max
        for index in 0..<geometry.rowCount {
            let epoch = loadOrdered(row(index) + Row.epoch)
            if epoch != 0, epoch < oldest { oldest = epoch }
        }
        return oldest
    }

    /// The invalidation counter of a key.
    @inline(__always)
    func counter(_ hashLow: UInt64) -> Int {
        geometry.counterOffset + Int(truncatingIfNeeded: hashLow >> 20) % Counters.count * 4
    }
}
