/// Bulk purges: what a ban is, and the list of those that are not yet applied to every record.
///
/// The Store knows no keys and no heads. To it a ban is a run of bytes, and `BanRules` say what they mean.

/// What the bytes of bans mean. The same in all processes that share a store.
public struct BanRules: Sendable {
    /// Whether a ban takes the record with this key and head.
    public var matches: @Sendable (_ ban: Span<UInt8>, _ key: Span<UInt8>, _ head: Span<UInt8>) -> Bool
    /// A ban that takes all that this one takes, and more; nil: only everything does.
    public var coarser: @Sendable (_ ban: Span<UInt8>) -> [UInt8]?

    public init(
        matches:
            @escaping @Sendable (_ ban: Span<UInt8>, _ key: Span<UInt8>, _ head: Span<UInt8>) -> Bool,
        coarser: @escaping @Sendable (_ ban: Span<UInt8>) -> [UInt8]? = { _ in nil }
    ) {
        self.matches = matches
        self.coarser = coarser
    }

    /// For whoever bans nothing: any ban takes everything.
    public static let takeEverything = BanRules(matches: { _, _, _ in true })
}

/// Takes the records that match and were checked against less than its sequence.
struct Ban: Equatable {
    var bytes: [UInt8]
    var isSoft: Bool
    var sequence: UInt64
}

/// The bans that some record may not have been checked against. Never more than `limit`: what is too much is
/// merged into a coarser ban, in the end into "everything", so that a ban is never lost.
struct BanList: Equatable {
    static let limit = 64
    static let maxBytes = 255

    var bans: [Ban] = []
    /// Everything that was checked against less than this is gone, or outdated.
    var everythingHard: UInt64 = 0
    var everythingSoft: UInt64 = 0

    mutating func add(
        _ bytes: [UInt8], isSoft: Bool, sequence: UInt64, coarser: (Span<UInt8>) -> [UInt8]?
    ) {
        guard let bytes = BanList.fitting(bytes, coarser) else {
            addEverything(isSoft: isSoft, sequence: sequence)
            return
        }
        // Said again it only moves on; a hard one takes what the soft one would.
        bans.removeAll { $0.bytes == bytes && ($0.isSoft || !isSoft) }
        bans.append(Ban(bytes: bytes, isSoft: isSoft, sequence: sequence))
        while bans.count > BanList.limit { coarsen(coarser) }
    }

    mutating func addEverything(isSoft: Bool, sequence: UInt64) {
        if isSoft {
            everythingSoft = max(everythingSoft, sequence)
        } else {
            everythingHard = max(everythingHard, sequence)
        }
        bans.removeAll { $0.sequence <= sequence && ($0.isSoft || !isSoft) }
    }

    /// Drops the bans that every record has been checked against.
    /// - Parameter newest: the newest sequence; a ban beyond it can only be damage.
    mutating func retire(through sequence: UInt64, newest: UInt64) {
        bans.removeAll { $0.sequence <= sequence || $0.sequence > newest }
    }

    /// The ban, or the finest of its coarser forms that is short enough; nil: everything.
    private static func fitting(_ bytes: [UInt8], _ coarser: (Span<UInt8>) -> [UInt8]?) -> [UInt8]? {
        var form = bytes
        // Each form must be shorter than the last: whatever the rules say, this ends.
        while form.count > maxBytes {
            guard let next = coarser(form.span), next.count < form.count else { return nil }
            form = next
        }
        return form
    }

    /// Merges the largest group of bans that share a coarser form; without any, all of them.
    private mutating func coarsen(_ coarser: (Span<UInt8>) -> [UInt8]?) {
        let forms = bans.map { coarser($0.bytes.span) }
        var best: (form: [UInt8], isSoft: Bool, members: [Int])?
        for index in bans.indices {
            guard let form = forms[index], form.count <= BanList.maxBytes else { continue }
            let isSoft = bans[index].isSoft
            let members = bans.indices.filter {
                bans[$0].isSoft == isSoft && (forms[$0] == form || bans[$0].bytes == form)
            }
            if members.count > best?.members.count ?? 1 { best = (form, isSoft, members) }
        }
        guard let best else {
            let newest = bans.reduce(0) { max($0, $1.sequence) }
            addEverything(isSoft: bans.allSatisfy(\.isSoft), sequence: newest)
            return
        }
        let newest = best.members.reduce(0) { max($0, bans[$1].sequence) }
        for index in best.members.reversed() { bans.remove(at: index) }
        bans.append(Ban(bytes: best.form, isSoft: best.isSoft, sequence: newest))
    }
}
