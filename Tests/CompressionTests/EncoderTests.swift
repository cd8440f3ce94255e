/// Encoders: their output decodes to their input, however the input is cut and flushed.
import Bytes
import Compression
import SeededRandom
import Testing

@Suite struct EncoderTests {
    static let pairs = ContentCoding.allCases.flatMap { coding in Effort.allCases.map { (coding, $0) } }

    @Test(arguments: pairs)
    func aWholeBodyDecodesToItself(_ coding: ContentCoding, _ effort: Effort) throws {
        for body in Bodies.all {
            var encoder = Encoder.made(coding, effort)
            var output = ByteBuffer(capacity: 1)
            let isFine = encoder.encode(body.span, .finish, into: &output)
            #expect(isFine)
            let decoded = Reference.decode(output.span.copied, coding, limit: body.count)
            #expect(decoded.isWhole && decoded.body == body, "\(body.count) bytes")
            #expect(output.count < body.count + body.count / 1_000 + 64, "\(body.count) bytes grew too much")
        }
    }

    /// One encoder for many streams: random pieces, random flushes, and some streams given up halfway.
    @Test(arguments: pairs)
    func aBodyInRandomPiecesDecodesToItself(_ coding: ContentCoding, _ effort: Effort) throws {
        let bodies = Bodies.all
        var encoder = Encoder.made(coding, effort)
        for seed in 0..<40 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let isReset = encoder.reset(Effort.allCases.randomElement(using: &random)!)
            #expect(isReset)
            let body = bodies.randomElement(using: &random)!
            let isGivenUp = Int.random(in: 0..<4, using: &random) == 0
            var output = ByteBuffer(capacity: Int.random(in: 1...2_000, using: &random))
            var start = 0
            let longest = [7, 300, 20_000, 200_000].randomElement(using: &random)!
            var pieces = 0
            while start < body.count, pieces < 200 {
                let end = min(start + Int.random(in: 0...longest, using: &random), body.count)
                let flush: FlushMode = Int.random(in: 0..<3, using: &random) == 0 ? .flush : .none
                let lowers = Int.random(in: 0..<10, using: &random) == 0
                if lowers { encoder.lower() }
                let isFine = encoder.encode(body.span.extracting(start..<end), flush, into: &output)
                #expect(isFine)
                start = end
                pieces += 1
                if flush == .flush, pieces.isMultiple(of: 5) {
                    let soFar = Reference.decode(output.span.copied, coding, limit: body.count)
                    #expect(soFar.body == Array(body[..<start]) && !soFar.isWhole, "seed \(seed)")
                }
            }
            if isGivenUp { continue }
            let isFine = encoder.encode(body.span.extracting(start...), .finish, into: &output)
            #expect(isFine)
            let decoded = Reference.decode(output.span.copied, coding, limit: body.count)
            #expect(decoded.isWhole && decoded.body == body, "seed \(seed)")
        }
    }

    /// A flush after each byte: every byte can be decoded at once, and no stream is too short for that.
    @Test(arguments: pairs)
    func everyFlushedByteCanBeDecoded(_ coding: ContentCoding, _ effort: Effort) throws {
        let body = Bodies.text(300, seed: 9)
        var encoder = Encoder.made(coding, effort)
        var output = ByteBuffer(capacity: 1)
        for end in 1...body.count {
            let isFine = encoder.encode(body.span.extracting((end - 1)..<end), .flush, into: &output)
            #expect(isFine)
            let soFar = Reference.decode(output.span.copied, coding, limit: body.count)
            #expect(soFar.body == Array(body[..<end]) && !soFar.isWhole)
        }
        // A flush without new bytes is not a failure.
        let again = encoder.encode(Span(), .flush, into: &output)
        let isEnded = encoder.encode(Span(), .finish, into: &output)
        #expect(again && isEnded)
        let decoded = Reference.decode(output.span.copied, coding, limit: body.count)
        #expect(decoded.isWhole && decoded.body == body)
    }

    @Test(arguments: ContentCoding.allCases)
    func anEndedStreamTakesNoMoreBytes(_ coding: ContentCoding) throws {
        var encoder = Encoder.made(coding, .stream)
        var output = ByteBuffer(capacity: 64)
        let isEnded = encoder.encode([1, 2, 3].span, .finish, into: &output)
        let count = output.count
        let more = encoder.encode([4].span, .finish, into: &output)
        let none = encoder.encode(Span(), .none, into: &output)
        #expect(isEnded && !more && !none && output.count == count)
        let isReset = encoder.reset(.store)
        output.removeAll()
        let again = encoder.encode([4].span, .finish, into: &output)
        #expect(isReset && again)
        #expect(Reference.decode(output.span.copied, coding, limit: 1).body == [4])
    }

    /// gzip lowered in mid-stream goes on at its lowest level: later bytes take more room and still decode.
    @Test func aLoweredEncoderGoesOnWithLessEffort() throws {
        let body = Bodies.text(300_000, seed: 11)
        func size(lowersAfter piece: Int?) throws -> Int {
            var encoder = Encoder.made(.gzip, .stream)
            var output = ByteBuffer(capacity: 1)
            for start in stride(from: 0, to: body.count, by: 10_000) {
                if start / 10_000 == piece { encoder.lower() }
                let isFine = encoder.encode(
                    body.span.extracting(start..<(start + 10_000)), .none, into: &output)
                #expect(isFine)
            }
            let isEnded = encoder.encode(Span(), .finish, into: &output)
            let decoded = Reference.decode(output.span.copied, .gzip, limit: body.count)
            #expect(isEnded && decoded.isWhole && decoded.body == body)
            return output.count
        }
        let (never, half, always) = try (size(lowersAfter: nil), size(lowersAfter: 15), size(lowersAfter: 0))
        #expect(never < half && half < always)
    }

    /// The header has neither a time nor a name: the same input always gives the same bytes.
    @Test func theGzipHeaderIsFixed() throws {
        for effort in Effort.allCases {
            var encoder = Encoder.made(.gzip, effort)
            var output = ByteBuffer(capacity: 64)
            let isFine = encoder.encode("a".utf8.span, .finish, into: &output)
            #expect(isFine)
            let header = output.span.copied[..<10]
            #expect(header[..<8] == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0] && header[9] == 3)
        }
    }

    /// Bytes already in the buffer stay, and the buffer's front may have been consumed.
    @Test(arguments: ContentCoding.allCases)
    func outputIsAppendedToTheBuffer(_ coding: ContentCoding) throws {
        var encoder = Encoder.made(coding, .stream)
        var output = ByteBuffer(capacity: 16)
        output.append("0123456789")
        output.removeFirst(7)
        let body = Bodies.text(5_000, seed: 12)
        let isFine = encoder.encode(body.span, .finish, into: &output)
        #expect(isFine)
        #expect(output.span.copied[..<3] == [0x37, 0x38, 0x39])
        output.removeFirst(3)
        let decoded = Reference.decode(output.span.copied, coding, limit: body.count)
        #expect(decoded.isWhole && decoded.body == body)
    }
}
