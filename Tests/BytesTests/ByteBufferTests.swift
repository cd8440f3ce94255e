/// ByteBuffer compared with an array over long random runs, and the hash compared with known values.
import Bytes
import SeededRandom
import Testing

struct ByteBufferTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func aBufferBehavesLikeAnArray(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var buffer = ByteBuffer(capacity: Int.random(in: 0...40, using: &random))
        var model: [UInt8] = []
        for step in 0..<500 {
            let number =
                UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random)
            switch Int.random(in: 0..<14, using: &random) {
            case 0:
                buffer.append(UInt8(truncatingIfNeeded: number))
                model.append(UInt8(truncatingIfNeeded: number))
            case 1:
                let run = (0..<Int.random(in: 0...50, using: &random)).map { UInt8($0) }
                buffer.append(run.span)
                model += run
            case 2:
                buffer.append(", literal" as StaticString)
                model += Array(", literal".utf8)
            case 3:
                buffer.append(text: "t\u{e9}xt" as String)
                model += Array("t\u{e9}xt".utf8)
            case 4:
                buffer.append(decimal: number)
                model += Array("\(number)".utf8)
            case 5:
                buffer.append(hexadecimal: number)
                model += Array(String(number, radix: 16).utf8)
            case 6:
                buffer.append(capacity: 8) { output in
                    for byte in [1, 2] as [UInt8] { output.append(byte) }
                }
                model += [1, 2]
            case 7:
                let text = (0..<Int.random(in: 0...40, using: &random)).map {
                    UInt8(truncatingIfNeeded: number >> UInt64($0)) ^ UInt8($0)
                }
                buffer.append(lowercasing: text.span)
                model += text.map(ASCII.lowercased)
            case 8:
                let run = (0..<Int.random(in: 0...50, using: &random)).map { UInt8($0) }
                buffer.append(run.span, 0x3a, 0x20, run.span.extracting(first: run.count / 2), 0x0d, 0x0a)
                model += run + [0x3a, 0x20] + run[..<(run.count / 2)] + [0x0d, 0x0a]
            case 11, 12:
                let n = Int.random(in: 0...model.count, using: &random)
                buffer.removeFirst(n)
                model.removeFirst(n)
            case 9:
                let n = Int.random(in: 0...model.count, using: &random)
                buffer.removeLast(n)
                model.removeLast(n)
            case 10:
                let room = Int.random(in: 0...60, using: &random)
                buffer.reserve(room)
                #expect(buffer.spareCount >= room)
            default:
                if step % 7 == 0 {
                    buffer.removeAll()
                    model = []
                } else {
                    Self.changeOneByte(&buffer, &model, &random)
                }
            }
            let (copied, count, isEmpty) = (buffer.span.copied, buffer.count, buffer.isEmpty)
            let fits = buffer.count + buffer.spareCount <= buffer.capacity
            guard copied == model, count == model.count, isEmpty == model.isEmpty, fits else {
                Issue.record("seed \(seed), step \(step)")
                return
            }
        }
    }

    private static func changeOneByte(
        _ buffer: inout ByteBuffer, _ model: inout [UInt8], _ random: inout SeededRandom
    ) {
        guard let place = model.indices.randomElement(using: &random) else { return }
        var span = buffer.mutableSpan
        span[place] = 0xee
        model[place] = 0xee
    }

    @Test(arguments: [0, 1, 5, 40])
    func bytesArePutInFront(_ room: Int) {
        for dropped in [0, 3] {
            for count in [0, 1, 3, 4, 5, 8, 20, 40, 43, 44] {
                var buffer = ByteBuffer(capacity: 64)
                buffer.removeAll(leavingRoom: room)
                buffer.append("abcdef" as StaticString)
                buffer.removeFirst(dropped)
                let run = [UInt8](repeating: 0x78, count: count)
                let rest = Array("abcdef".utf8).dropFirst(dropped)
                let fits = buffer.prepend(run.span)
                #expect(fits == (count <= room + dropped))
                #expect(buffer.span.copied == (fits ? run : []) + rest)
                buffer.append("g" as StaticString)
                #expect(buffer.span.copied == (fits ? run : []) + rest + [0x67])
            }
        }
    }

    @Test func aBufferWithoutMemoryAllocatesIt() {
        var buffer = ByteBuffer()
        #expect(buffer.capacity == 0 && buffer.isEmpty && buffer.span.isEmpty)
        buffer.removeAll()
        buffer.append("abc")
        var other = ByteBuffer()
        swap(&buffer, &other)
        #expect(buffer.capacity == 0 && other.capacity >= 3 && other.span.string == "abc")
        buffer.append(other.span)
        #expect(buffer.span.string == "abc")
    }

    @Test func appendingKeepsTheBytesOfAFillThatThrows() {
        struct Stop: Error {}
        var buffer = ByteBuffer(capacity: 4)
        buffer.append(7)
        try? buffer.append(capacity: 10) { (output: inout OutputSpan<UInt8>) throws(Stop) in
            output.append(1)
            throw Stop()
        }
        buffer.append(8)
        let copied = buffer.span.copied
        #expect(copied == [7, 8])
    }

    /// Numbers around every power of ten, and every number of up to three digits.
    @Test func numbersAreAppendedInDecimal() {
        var numbers = Array(0...1000) as [UInt64]
        var power: UInt64 = 1000
        while power <= .max / 10 {
            power *= 10
            numbers += [power - 1, power, power + 1, power / 7 * 9]
        }
        for number in numbers + [.max] {
            var buffer = ByteBuffer(capacity: 0)
            buffer.append(decimal: number)
            let written = buffer.span.string
            #expect(written == "\(number)")
        }
    }

    @Test(arguments: [
        (0, "0"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"),
        (UInt64.max, "ffffffffffffffff"), (1 << 60, "1000000000000000"),
    ])
    func numbersAreAppendedInHexadecimal(_ number: UInt64, _ text: String) {
        var buffer = ByteBuffer(capacity: 0)
        buffer.append(hexadecimal: number)
        let written = buffer.span.string
        #expect(written == text)
    }
}

struct XXH3Tests {
    /// Known values of the algorithm for the empty input.
    @Test func theHashHasKnownValues() {
        let empty: [UInt8] = []
        let (hash64, hash128) = (XXH3.hash64(empty.span, seed: 0), XXH3.hash128(empty.span, seed: 0))
        #expect(hash64 == 0x2d06_8005_38d3_94c2)
        #expect(hash128 == Hash128(low: 0x6001_c324_468d_497f, high: 0x99aa_06d3_0147_98d8))
    }

    @Test func theHashDependsOnBytesLengthAndSeedAlone() {
        var seen: Set<UInt64> = []
        var seen128: Set<Hash128> = []
        let bytes = (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for length in 0...600 {
            // The same bytes at another address have the same hash.
            let (prefix, copy) = (
                bytes.span.extracting(first: length), Array(([0] + bytes)[1..<(length + 1)])
            )
            let same =
                XXH3.hash64(prefix, seed: 1) == XXH3.hash64(copy.span, seed: 1)
                && XXH3.hash128(prefix, seed: 1) == XXH3.hash128(copy.span, seed: 1)
            #expect(same)
            for seed in 0..<3 as Range<UInt64> {
                seen.insert(XXH3.hash64(prefix, seed: seed))
                seen128.insert(XXH3.hash128(prefix, seed: seed))
            }
        }
        #expect(seen.count == 601 * 3 && seen128.count == 601 * 3)
    }
}
