/// A list of reasons, the strongest first: each reason once, at most sixteen.
///
/// It needs no allocation, so an exchange can hold it: one byte for each reason, from the lowest byte of
/// `low` on. 0 ends the list.
public struct Reasons: BitwiseCopyable, Sendable, Equatable {
    public private(set) var low: UInt64 = 0
    public private(set) var high: UInt64 = 0

    private static var limit: Int { 16 }

    public init() {}

    public var isEmpty: Bool { low == 0 }

    private func byte(_ place: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (place < 8 ? low : high) >> UInt64(place % 8 * 8))
    }

    /// Appends a reason, unless the list contains it. A seventeenth reason is dropped.
    public mutating func append(_ reason: Reason) {
        for place in 0..<Self.limit {
            let byte = byte(place)
            if byte == reason.rawValue { return }
            guard byte == 0 else { continue }
            let word = UInt64(reason.rawValue) << UInt64(place % 8 * 8)
            if place < 8 { low |= word } else { high |= word }
            return
        }
    }

    public mutating func append(contentsOf others: Reasons) {
        for reason in others.all { append(reason) }
    }

    public var all: [Reason] { (0..<Self.limit).compactMap { Reason(rawValue: byte($0)) } }
}
