/// A single content coding and its place in a set of codings.

internal import Caching
internal import Compression

extension ContentCoding {
    /// The single coding that the set holds. nil for identity, and for a set that is not one coding.
    init?(_ coding: Codings) {
        guard let known = ContentCoding(rawValue: coding.rawValue) else { return nil }
        self = known
    }

    /// What the encoder of one stream counts against `limits.buffers`: about the memory that it holds
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
