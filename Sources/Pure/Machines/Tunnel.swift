/// An upgraded connection between a client and an origin. Each side may end by itself. The other side is told
/// once it has taken what is on its way to it; the tunnel is over when both have ended.
public struct Tunnel: Sendable, Equatable, BitwiseCopyable {
    public enum Event: Sendable, Equatable {
        /// The side sends no more.
        case clientEnded, originEnded
        /// The side has taken all that was sent to it.
        case clientFlushed, originFlushed
    }

    public enum Action: Sendable, Equatable {
        case none
        /// Tells the side that no more comes.
        case endOrigin, endClient
        /// The tunnel is over.
        case finish
    }

    public private(set) var hasClientEnded = false
    public private(set) var hasOriginEnded = false

    public init() {}

    /// One side has ended: the tunnel goes by the shorter time-out.
    public var isHalf: Bool { hasClientEnded || hasOriginEnded }

    /// - Parameters:
    ///   - isOriginFlushed: nothing waits to be taken by the origin.
    ///   - isClientFlushed: nothing waits to be taken by the client.
    public mutating func on(_ event: Event, isOriginFlushed: Bool, isClientFlushed: Bool) -> Action {
        switch event {
        case .clientEnded: hasClientEnded = true
        case .originEnded: hasOriginEnded = true
        case .clientFlushed: return hasOriginEnded ? .endClient : .none
        case .originFlushed: if !hasClientEnded { return .none }
        }
        if hasClientEnded, hasOriginEnded, isOriginFlushed { return .finish }
        if event == .originEnded { return isClientFlushed ? .endClient : .none }
        return isOriginFlushed ? .endOrigin : .none
    }
}
