import Bytes
import Store

/// Byte strings and one-line calls for the Store's tests.

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Bans for tests: `k` and a prefix of keys, or `h` and a whole head. A coarser prefix ends at the last `/`
/// before the end.
let testBans = BanRules(
    matches: { ban, key, head in
        let rest = ban.extracting(1..<ban.count)
        return ban[0] == UInt8(ascii: "k") ? key.hasPrefix(rest) : head.equals(rest)
    },
    coarser: { ban in
        guard ban[0] == UInt8(ascii: "k") else { return nil }
        let bytes = ban.copied
        guard let cut = bytes.dropLast().lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return Array(bytes[...cut])
    })

extension StoreThread {
    /// Whether the newest record is outdated; nil if there is none.
    func isOutdated(_ key: [UInt8]) -> Bool? {
        let view = lookup(key: key.span, hash: hash(key.span)) { _, _ in 1 }
        return view?.isOutdated
    }

    @discardableResult
    func ban(_ text: String, soft: Bool = false) -> UInt64 { ban(bytes(text), soft: soft) }

    @discardableResult
    func ban(_ content: [UInt8], soft: Bool) -> UInt64 { ban(content.span, soft: soft) }

    mutating func purge(_ key: [UInt8], soft: Bool) { purge(key: key.span, hash: hash(key.span), soft: soft) }

    func stamp(_ key: [UInt8]) -> FetchStamp { stamp(hash(key.span)) }

    /// Sweeps until no step is left.
    mutating func sweepAll() { while sweep(limit: 1000) {} }

    /// Stores a record with a stamp taken now.
    mutating func put(
        _ key: [UInt8], vary: [UInt8] = [], head: [UInt8] = [], body: [UInt8],
        facts: RecordFacts = RecordFacts(), variant: Variant = .original(), claims: UInt8 = 0,
        expires: UInt32 = .max, now: UInt32 = 1000, stamp: FetchStamp? = nil
    ) -> StoreOutcome {
        let hash = hash(key.span)
        return insert(
            key: key.span, hash: hash, variant: variant, claims: claims, facts: facts, vary: vary.span,
            head: head.span, body: body.span,
            expires: expires, now: now, stamp: stamp ?? self.stamp(hash))
    }

    /// The body of the newest record, or of the newest with these Vary values.
    func body(_ key: [UInt8], vary: [UInt8]? = nil) -> [UInt8]? {
        let view = lookup(key: key.span, hash: hash(key.span)) { _, values in
            guard let vary else { return 1 }
            return values.equals(vary.span) ? 1 : 0
        }
        guard let view else { return nil }
        return view.body.copied
    }

    func contains(_ key: [UInt8]) -> Bool {
        let view = lookup(key: key.span, hash: hash(key.span)) { _, _ in 1 }
        return view != nil
    }

    /// Renews with a stamp taken now: the head becomes "new of " and the old head; the facts' first word
    /// becomes the coding and the second becomes 9.
    mutating func renew(
        _ key: [UInt8], serial: UInt64, vary: [UInt8] = [], stamp: FetchStamp? = nil,
        keeps: (_ coding: UInt8, _ isDerived: Bool) -> Bool = { _, _ in true }
    ) -> StoreOutcome {
        let hash = hash(key.span)
        var head = ByteBuffer(capacity: 64)
        return renew(
            key: key.span, hash: hash, serial: serial, vary: vary.span, expires: .max, now: 1000,
            stamp: stamp ?? self.stamp(hash), head: &head
        ) { coding, isDerived, old, head in
            guard keeps(coding, isDerived) else { return nil }
            head.append("new of ")
            head.append(old)
            return RecordFacts(UInt64(coding), 9)
        }
    }

    mutating func drop(_ key: [UInt8]) { invalidate(key: key.span, hash: hash(key.span)) }
}
