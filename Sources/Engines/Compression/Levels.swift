/// What to compress with, and how hard. The levels, windows and bounds below were chosen by measurement:
/// docs/compression.md has the tables and the command.

/// A content coding that Larder writes (RFC 9110 §8.4.1, RFC 7932, RFC 8878). The raw values are those of
/// `Caching.Codings`.
public enum ContentCoding: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case gzip = 2
    case br = 4
    case zstd = 8
}

/// How much work a stream is worth.
public enum Effort: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// On a loop, between two reads.
    case stream
    /// On a loop that falls behind.
    case streamLow
    /// Once for all later hits, on a helper thread: at most a few milliseconds for 64 KiB.
    case store
}

/// What becomes of the bytes that an encoder still holds back.
public enum FlushMode: UInt8, Sendable, BitwiseCopyable {
    case none
    /// All input so far can be decoded from the output so far. Costs a few bytes and some density.
    case flush
    /// As `flush`, and the stream ends.
    case finish
}

/// The parameters of one stream.
package struct Level: Sendable, BitwiseCopyable {
    package var level: Int32
    /// log₂ of the window in bytes.
    package var window: Int32
    /// log₂ of zstd's hash table and chain table in entries of 4 bytes; 0 for the level's own.
    package var hash: Int32 = 0
    package var chain: Int32 = 0

    package init(level: Int32, window: Int32, hash: Int32 = 0, chain: Int32 = 0) {
        self.level = level
        self.window = window
        self.hash = hash
        self.chain = chain
    }

    package init(_ coding: ContentCoding, _ effort: Effort) {
        switch (coding, effort) {
        case (.gzip, .stream): self.init(level: 5, window: 15)
        case (.gzip, .streamLow): self.init(level: 1, window: 15)
        case (.gzip, .store): self.init(level: 8, window: 15)
        // From quality 5 on a window of more than 16 bits brings hash tables of up to 32 MB.
        case (.br, .stream): self.init(level: 5, window: 16)
        case (.br, .streamLow): self.init(level: 2, window: 16)
        case (.br, .store): self.init(level: 8, window: 16)
        // The tables are set, because the levels' own depend on a length that a stream does not know.
        case (.zstd, .stream): self.init(level: 3, window: 17, hash: 16, chain: 15)
        case (.zstd, .streamLow): self.init(level: 1, window: 17, hash: 14, chain: 6)
        case (.zstd, .store): self.init(level: 10, window: 18, hash: 17, chain: 17)
        }
    }
}
