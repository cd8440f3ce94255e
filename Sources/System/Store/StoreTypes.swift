/// The Store's vocabulary: what its callers pass in and get back.

internal import SystemPackage

/// Five words that say what the caller needs to know of a record; opaque to the Store.
public struct RecordFacts: BitwiseCopyable, Sendable, Equatable {
    public var words: (UInt64, UInt64, UInt64, UInt64, UInt64)

    @inlinable
    public init(_ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0) {
        words = (a, b, c, d, e)
    }

    @inlinable
    public static func == (a: Self, b: Self) -> Bool { a.words == b.words }
}

/// Which body of its key a record is. Records of one key differ in Vary values and coding.
public struct Variant: BitwiseCopyable, Sendable, Equatable {
    /// The body's coding; a byte that means something to the caller alone.
    public var coding: UInt8
    /// Of an original its own, of a derived record its original's. Newer ones have greater ones.
    public var serial: UInt64
    public var isDerived: Bool

    /// What came from outside. Serial 0: a new one.
    public static func original(coding: UInt8 = 0, serial: UInt64 = 0) -> Variant {
        Variant(coding: coding, serial: serial, isDerived: false)
    }

    /// The body of the record with this serial, in another coding.
    public static func derived(coding: UInt8, from serial: UInt64) -> Variant {
        Variant(coding: coding, serial: serial, isDerived: true)
    }
}

/// What a fetch remembers of the moment when its request was sent, for the store to refuse an answer that a
/// purge has outrun meanwhile.
public struct FetchStamp: BitwiseCopyable, Sendable, Equatable {
    /// The key's invalidation counter.
    let counter: UInt32
    /// The newest ban.
    let sequence: UInt64

    init(counter: UInt32, sequence: UInt64) {
        self.counter = counter
        self.sequence = sequence
    }

    /// Of a store in which nothing was ever purged.
    public init() { self.init(counter: 0, sequence: 0) }
}

public struct StoreOptions: Sendable, Hashable {
    /// Bytes in use, everything counted: records, index, rows.
    public var memory: Int
    /// Bytes that the segment can ever grow to; sealed.
    public var memoryMax: Int
    /// Threads, of all processes together, that can use the store at one time.
    public var rows: Int
    /// Bytes of one log segment; nil: clamp(memory ÷ 512, 128 KiB, 4 MiB).
    public var segmentBytes: Int?

    public init(memory: Int, memoryMax: Int? = nil, rows: Int = 64, segmentBytes: Int? = nil) {
        self.memory = memory
        self.memoryMax = memoryMax ?? memory * 2
        self.rows = rows
        self.segmentBytes = segmentBytes
    }
}

/// How an attempt to store ended.
public enum StoreOutcome: Sendable, Hashable {
    case stored
    /// The key was invalidated, or a ban took the content, since its stamp was taken.
    case invalidated
    /// No free segment, or another process holds the lock (perhaps dead or stopped).
    case pressure
    /// Of a derived record: the originals of its key leave it no slot. Nothing was written, and nothing
    /// changes that soon.
    case crowded
    /// Key over 65 535 bytes, head or Vary values too, or the record larger than a segment or a
    /// twentieth of the store.
    case tooLarge
}

public enum StoreError: Error, Hashable, CustomStringConvertible {
    /// Not a store of this layout version and geometry: to be dropped, not guessed at.
    case foreignLayout
    /// Options that leave no room for eight segments, or nonsense.
    case badOptions
    case noMemory
    /// Any other error of the operating system.
    case system(code: Int32)

    public var description: String {
        switch self {
        case .foreignLayout: "the store is of another version of Larder, or damaged"
        case .badOptions: "the store has no room for eight segments"
        case .noMemory: "there is no memory for the store"
        case .system(let code): "cannot make the store: \(Errno(rawValue: code))"
        }
    }
}

/// Sums over all rows, dead and alive.
public struct StoreStatistics: Sendable, Hashable {
    /// Records that can be found.
    public var objects = 0
    /// Their bytes, record headers and padding included.
    public var bytes = 0
    public var inserted: UInt64 = 0
    public var replaced: UInt64 = 0
    /// Records that made room for others.
    public var evicted: UInt64 = 0
    public var invalidated: UInt64 = 0
    /// Bans that may still have records to be applied to.
    public var bans = 0
    /// Records dropped because their checksum was wrong.
    public var corrupt: UInt64 = 0
    public var refusedForPressure: UInt64 = 0
    /// Bytes copied to keep records at eviction.
    public var bytesKept: UInt64 = 0
    public var segmentsReclaimed: UInt64 = 0
    public var segments = 0
    public var segmentBytes = 0
    public var segmentsFree = 0
    public var segmentsSmall = 0
    public var segmentsMain = 0
    /// Reclaimed, but a reader might still see them.
    public var segmentsRetired = 0
}
