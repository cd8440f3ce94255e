public import Bytes
internal import Kernel
internal import SystemPackage

/// The shared-memory cache: one per segment and process; threads use it through their own `StoreThread`.
///
/// Ownership: holds the one mapping of this process. Every StoreThread keeps its Store alive.
public final class Store: Sendable {
    let memory: SharedMemory
    let arena: Arena
    let bans: BanRules

    private init(memory: consuming SharedMemory, geometry: Geometry, seed: UInt64, bans: BanRules) {
        self.bans = bans
        arena = unsafe Arena(base: memory.base, geometry: geometry, seed: seed)
        self.memory = memory
    }

    deinit { arena.releasePlan() }

    /// A new, empty store in a sealed memfd, its pages allocated.
    /// - Parameter bans: what bans mean; to be the same in all processes.
    public static func create(
        _ options: StoreOptions, bans: BanRules = .takeEverything
    ) throws(StoreError) -> Store {
        guard
            let geometry = Geometry(
                memory: options.memory, memoryMax: options.memoryMax, rows: options.rows,
                segmentBytes: options.segmentBytes)
        else { throw .badOptions }
        // Past a control group's limit the kernel would kill this process instead of refusing.
        if let limit = MemoryLimit.bytes(), geometry.memory > limit { throw .noMemory }
        let store: Store
        do {
            let memory = try SharedMemory.create(name: "larder-store", size: geometry.memoryMax)
            try memory.allocate(0..<geometry.memory)
            store = Store(memory: memory, geometry: geometry, seed: try Entropy.word(), bans: bans)
            store.arena.format()
            store.arena.setNonce(try Entropy.word())
        } catch {
            throw error == .noSpace || error == .noMemory ? .noMemory : .system(code: error.rawValue)
        }
        return store
    }

    /// Maps a store that another process created. The caller keeps its descriptor.
    public static func attach(
        to descriptor: CInt, bans: BanRules = .takeEverything
    ) throws(StoreError) -> Store {
        let memory: SharedMemory
        do {
            memory = try SharedMemory.attach(to: descriptor)
        } catch {
            throw .system(code: error.rawValue)
        }
        guard let (geometry, seed) = Arena.inspect(memory) else { throw .foreignLayout }
        return Store(memory: memory, geometry: geometry, seed: seed, bans: bans)
    }

    /// The segment's descriptor, to be handed to other processes. Owned by the store.
    public var descriptor: CInt { memory.descriptor }

    /// The hash that `StoreThread.lookup` and its kin expect for `key`.
    public func hash(_ key: borrowing Span<UInt8>) -> Hash128 { XXH3.hash128(key, seed: arena.seed) }

    /// A row for one thread; nil when all rows are taken.
    public func row() -> StoreThread? {
        let process = UInt64(UInt32(bitPattern: ProcessID.current))
        for row in 0..<arena.geometry.rowCount {
            let owner = arena.row(row) + Row.owner
            if arena.load(owner) == 0, arena.compareExchange(0, process, owner) {
                return StoreThread(store: self, row: row)
            }
        }
        return nil
    }

    /// Clears up after a process that died without giving its rows back. To be called once its pidfd says
    /// that it is gone, never before. Returns the number of rows that it had held.
    ///
    /// Segment words, tails and slots are each changed by one store, in an order that leaves the log walkable
    /// at every step, so nothing of it is lost: the segment that the dead thread had just opened, if it had
    /// come no further, is sealed, and a fresh nonce makes every record prove itself by its checksum before
    /// its next use. A table of bans that it left half written becomes a ban of everything.
    @discardableResult
    public func reap(process: Int32) throws(StoreError) -> Int {
        let fresh: UInt64
        do {
            fresh = try Entropy.word()
        } catch {
            throw .system(code: error.rawValue)
        }
        var rows = 0
        for row in 0..<arena.geometry.rowCount {
            let start = arena.row(row)
            guard arena.load(start + Row.owner) == UInt64(UInt32(bitPattern: process)) else { continue }
            // Before its locks open: what others then read must already be doubted.
            if rows == 0 { arena.setNonce(fresh) }
            arena.sealStrays(row: row)
            if arena.load(Header.reclaimLock) == UInt64(row + 1) { arena.unlock(Header.reclaimLock) }
            if arena.load(Header.appendLock) == UInt64(row + 1) { arena.unlock(Header.appendLock) }
            if arena.load(Header.sweepLock) == UInt64(row + 1) { arena.unlock(Header.sweepLock) }
            if arena.load(Header.banLock) == UInt64(row + 1) {
                arena.mendBans()
                arena.unlock(Header.banLock)
            }
            arena.exchange(0, start + Row.epoch)
            arena.storeReleasing(0, start + Row.owner)
            rows += 1
        }
        return rows
    }

    /// Process ids that hold rows, each once.
    public var processes: [Int32] {
        var found: [Int32] = []
        for row in 0..<arena.geometry.rowCount {
            let owner = Int32(truncatingIfNeeded: arena.load(arena.row(row) + Row.owner))
            if owner != 0, !found.contains(owner) { found.append(owner) }
        }
        return found
    }

    public var statistics: StoreStatistics {
        var sum = StoreStatistics()
        for row in 0..<arena.geometry.rowCount {
            let start = arena.row(row)
            sum.objects &+= Int(Int64(bitPattern: arena.load(start + Row.objects)))
            sum.bytes &+= Int(Int64(bitPattern: arena.load(start + Row.liveBytes)))
            sum.inserted &+= arena.load(start + Row.inserted)
            sum.replaced &+= arena.load(start + Row.replaced)
            sum.evicted &+= arena.load(start + Row.evicted)
            sum.invalidated &+= arena.load(start + Row.invalidated)
            sum.corrupt &+= arena.load(start + Row.corrupt)
            sum.refusedForPressure &+= arena.load(start + Row.pressure)
            sum.bytesKept &+= arena.load(start + Row.bytesKept)
            sum.segmentsReclaimed &+= arena.load(start + Row.reclaimed)
        }
        let census = arena.census()
        sum.bans = arena.banCount
        sum.segments = arena.geometry.segmentCount
        sum.segmentBytes = arena.geometry.segmentBytes
        sum.segmentsFree = census.free
        sum.segmentsRetired = census.retired
        sum.segmentsSmall = census.small
        sum.segmentsMain = census.main
        return sum
    }
}
