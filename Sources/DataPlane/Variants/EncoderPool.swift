internal import Compression

/// One thread's encoders that are not in use: a new one costs as much as compressing a small page.
struct EncoderPool: ~Copyable, Sendable {
    /// Idle ones kept of each coding. br has none: its library cannot begin again.
    private static var limit: Int { 4 }

    private var gzip = InlineArray<4, Encoder?> { _ in nil }
    private var zstd = InlineArray<4, Encoder?> { _ in nil }

    /// An encoder at the beginning of a stream; nil: no memory.
    mutating func take(_ coding: ContentCoding, _ effort: Effort) -> Encoder? {
        guard var encoder = takeIdle(coding) else { return Encoder(coding, effort) }
        guard encoder.reset(effort) else { return nil }
        return consume encoder
    }

    private mutating func takeIdle(_ coding: ContentCoding) -> Encoder? {
        for index in 0..<Self.limit {
            switch coding {
            case .gzip: if let idle = gzip[index].take() { return idle }
            case .zstd: if let idle = zstd[index].take() { return idle }
            case .br: return nil
            }
        }
        return nil
    }

    /// Keeps an encoder that is done, or was given up in the midst of a stream.
    mutating func give(_ encoder: consuming Encoder) {
        let coding = encoder.coding
        var given: Encoder? = consume encoder
        for index in 0..<Self.limit {
            switch coding {
            case .gzip: if gzip[index] == nil { gzip[index] = given.take() }
            case .zstd: if zstd[index] == nil { zstd[index] = given.take() }
            case .br: return
            }
            if given == nil { return }
        }
    }
}
