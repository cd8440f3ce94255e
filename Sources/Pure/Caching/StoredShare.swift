/// How many answers were stored, and why the others were not: one line of text for people.
public struct StoredShare: Sendable, Equatable {
    public let stored: UInt64
    /// Indexed by the raw value of `Reason`; index 0 is unused.
    private let refused: [UInt64]

    /// - Parameter refused: counts, indexed by the raw value of `Reason`.
    public init(stored: UInt64, refused: [UInt64]) {
        self.stored = stored
        self.refused = refused
    }

    public var answers: UInt64 { stored + refused.dropFirst().reduce(0, +) }

    /// The difference to an earlier reading.
    public func since(_ earlier: StoredShare) -> StoredShare {
        StoredShare(
            stored: stored &- earlier.stored,
            refused: refused.indices.map {
                refused[$0] &- (earlier.refused.indices.contains($0) ? earlier.refused[$0] : 0)
            })
    }

    /// `0 of 41000 answers stored; not stored: 97 % no-freshness, 3 % set-cookie (see larder reasons
    /// no-freshness)`: names the three most frequent reasons. Nil if there were no answers.
    public var text: String? {
        let all = answers
        guard all > 0 else { return nil }
        let reasons = Reason.allCases.map { (reason: $0, count: count(of: $0)) }.filter { $0.count > 0 }
            .sorted { $0.count > $1.count }
        var text = "\(stored) of \(all) answers stored"
        guard let first = reasons.first else { return text }
        let shares = reasons.prefix(3).map { "\(Self.percent($0.count, of: all)) \($0.reason.code)" }
        text += "; not stored: \(shares.joined(separator: ", "))"
        if reasons.count > 3 { text += ", …" }
        return text + " (see larder reasons \(first.reason.code))"
    }

    private func count(of reason: Reason) -> UInt64 {
        refused.indices.contains(Int(reason.rawValue)) ? refused[Int(reason.rawValue)] : 0
    }

    private static func percent(_ count: UInt64, of all: UInt64) -> String {
        let share = Double(count) * 100 / Double(all)
        return share < 1 ? "under 1 %" : "\(UInt64(share.rounded())) %"
    }
}
