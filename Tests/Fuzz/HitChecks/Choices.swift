/// A run of bytes read as choices: a fuzzer's input, or random numbers of a seed. Bytes that are missing
/// choose the first of each list.
public struct Choices: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// From 0 to `bound` - 1; `bound` is 256 at most.
    mutating func below(_ bound: Int) -> Int {
        guard position < bytes.count else { return 0 }
        position += 1
        return Int(bytes[position - 1]) % bound
    }

    mutating func one<T>(of values: [T]) -> T { values[below(values.count)] }

    /// True once in so many times.
    mutating func once(in number: Int) -> Bool { below(number) == number - 1 }

    mutating func word() -> UInt16 { UInt16(below(256)) << 8 | UInt16(below(256)) }

    /// The bytes that have chosen nothing yet.
    mutating func rest() -> [UInt8] {
        let rest = (min(position, bytes.count)..<bytes.count).map { bytes[$0] }
        position = bytes.count
        return rest
    }
}
