/// What the answers of origins are held to: by a worker, and by `larder explain`.

public import HTTP

public enum OriginResponse {
    /// As large as heads can be.
    public static var headLimits: HeadLimits { HeadLimits(head: 60 << 10, fields: FieldTable.capacity) }

    /// The most interim (1xx) heads of one answer.
    public static var interimLimit: Int { 32 }

    /// The most bytes that one read takes.
    public static var readSize: Int { Channel.window }

    /// The most bytes of a body that are read for nobody, so that the connection can be kept.
    static var drainLimit: UInt64 { UInt64(Channel.window) }

    /// May a body that nobody wants be read to its end within the limit?
    static func isWorthDraining(_ framing: BodyFraming) -> Bool {
        switch framing {
        case .none, .chunked: true
        case .length(let n): n <= drainLimit
        case .untilClose: false
        }
    }

    /// The body's length if the `available` bytes behind the head are all of it: such a body is committed
    /// first, so that the head can say `stored`.
    public static func completeLength(_ framing: BodyFraming, of available: Int) -> Int? {
        switch framing {
        case .none: 0
        case .length(let n) where n <= UInt64(available): Int(n)
        case .length, .chunked, .untilClose: nil
        }
    }
}
