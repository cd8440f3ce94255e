internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Loop
internal import Store

/// Other codings of what is stored: asked of the helper threads once for each body, and committed where a
/// stream was compressed anyway.
extension Worker {
    /// Has a coding made of the original that the key at hand leads to.
    mutating func requestVariant(
        _ coding: ContentCoding, of serial: UInt64, _ keyed: KeyedRequest, route: Int
    ) {
        let job = VariantJob(
            key: scratch.key.span.copied, hash: keyed.hash, serial: serial, coding: coding,
            headLimit: site.routes[route].rules.maxHeadBytes)
        if helpers.request(job) { return }
        store.disclaim(coding: coding.rawValue, of: serial, hash: keyed.hash)
    }

    /// A variant to be stored: what its original was judged to be, and that one's serial.
    struct Variation {
        var facts: EntryFacts
        var serial: UInt64
    }

    /// Stores a variant beside its original. Where the store has no room just now, a later hit asks for it
    /// again; where there is no place for it, the claim stays.
    /// - Returns: is it stored?
    @discardableResult
    static func insert(
        _ variation: Variation, into store: inout StoreThread, key: Span<UInt8>, _ hash: Hash128,
        head: borrowing ByteBuffer, body: borrowing ByteBuffer, vary: borrowing ByteBuffer, now: Times,
        stamp: FetchStamp
    ) -> Bool {
        let facts = variation.facts
        let outcome = store.insert(
            key: key, hash: hash,
            variant: .derived(coding: facts.coding.rawValue, from: variation.serial), facts: facts.record,
            vary: vary.span, head: head.span, body: body.span, expires: facts.expirySeconds,
            now: UInt32(clamping: now.wallSeconds), stamp: stamp)
        switch outcome {
        case .pressure, .invalidated:
            giveBack(facts.coding, of: variation.serial, store, key: key, hash)
        case .stored, .crowded, .tooLarge: break
        }
        return outcome == .stored
    }

    /// Gives back the claim to make this coding of the original with this serial. Where that was renewed
    /// meanwhile, the claim went on to the new record. Only within a turn.
    static func giveBack(
        _ coding: Codings, of serial: UInt64, _ store: borrowing StoreThread, key: Span<UInt8>,
        _ hash: Hash128
    ) {
        store.disclaim(coding: coding.rawValue, of: serial, hash: hash)
        let present = store.lookup(key: key, hash: hash) { facts, _ in
            EntryFacts(facts).flags.contains(.compressible) ? 1 : 0
        }
        if let present, present.serial != serial {
            store.disclaim(coding: coding.rawValue, of: present.serial, hash: hash)
        }
    }
}

extension ContentCoding {
    /// nil for identity, and for what is no single coding.
    init?(_ coding: Codings) {
        guard let known = ContentCoding(rawValue: coding.rawValue) else { return nil }
        self = known
    }

    /// What an encoder of a stream counts for against `limits.buffers`: about what it holds
    /// (docs/compression.md).
    var encoderBytes: Int {
        switch self {
        case .gzip: 288 * 1024
        case .br: 1024 * 1024
        case .zstd: 768 * 1024
        }
    }
}

extension Codings {
    init(_ coding: ContentCoding) { self.init(rawValue: coding.rawValue) }
}

extension EntryFacts {
    /// Unix seconds from which the entry is not worth keeping.
    var expirySeconds: UInt32 {
        UInt32(clamping: received.wallMilliseconds / 1000 + keptSeconds)
    }
}
