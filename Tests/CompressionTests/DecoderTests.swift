/// The gzip decoder: every split point, every kind of damage, several members, and bombs.
import Bytes
import Compression
import Foundation
import FuzzChecks
import Testing

@Suite struct DecoderTests {
    static func gzip(_ body: [UInt8], _ effort: Effort = .stream) throws -> [UInt8] {
        var encoder = Encoder.made(.gzip, effort)
        var output = ByteBuffer(capacity: 64)
        let isFine = encoder.encode(body.span, .finish, into: &output)
        #expect(isFine)
        return output.span.copied
    }

    /// The bytes that the pieces of `bytes` between `cuts` decode to, with at most `limit` bytes a call.
    static func decode(
        _ bytes: [UInt8], cuts: [Int] = [], limit: Int = 1 << 20
    ) throws -> (body: [UInt8], last: Decoder.Step) {
        var decoder = Decoder.made()
        var output = ByteBuffer(capacity: 1)
        var last = Decoder.Step.needMore
        var start = 0
        for end in cuts + [bytes.count] {
            var offset = 0
            repeat {
                let before = output.count
                last = decoder.decode(
                    bytes.span.extracting(start..<end), from: &offset, into: &output, atMost: limit)
                #expect(output.count - before <= limit)
            } while last == .full
            if last == .malformed { break }
            #expect(offset == end - start)
            start = end
        }
        return (output.span.copied, last)
    }

    @Test func everyBodyDecodesToItself() throws {
        for body in Bodies.all {
            for effort in Effort.allCases {
                for limit in [100, 4_096, 1 << 20] {
                    let decoded = try Self.decode(Self.gzip(body, effort), limit: limit)
                    #expect(decoded.last == .end && decoded.body == body)
                }
            }
        }
    }

    @Test func aStreamMayBeCutAnywhere() throws {
        let body = Bodies.text(700, seed: 1)
        let coded = try Self.gzip(body)
        for cut in 0...coded.count {
            for limit in [1, 64, 10_000] {
                let decoded = try Self.decode(coded, cuts: [cut], limit: limit)
                #expect(decoded.last == .end && decoded.body == body, "cut at \(cut), limit \(limit)")
            }
        }
        let dripped = try Self.decode(coded, cuts: Array(0...coded.count))
        #expect(dripped.last == .end && dripped.body == body)
    }

    @Test func aTruncatedStreamIsNotComplete() throws {
        let body = Bodies.text(700, seed: 2)
        let coded = try Self.gzip(body)
        for count in 0..<coded.count {
            let decoded = try Self.decode(Array(coded[..<count]))
            #expect(decoded.last == .needMore && body.starts(with: decoded.body), "\(count) bytes")
        }
    }

    /// A wrong bit is found, unless it has no meaning (the header's time, the padding of the last byte). A
    /// wrong body is never taken for complete.
    @Test func everyDamagedByteIsNoticed() throws {
        let body = Bodies.text(150, seed: 3)
        let coded = try Self.gzip(body)
        var found = 0
        for index in coded.indices {
            for bit in 0..<8 as Range<UInt8> {
                var damaged = coded
                damaged[index] ^= 1 << bit
                let decoded = try Self.decode(damaged)
                #expect(decoded.last != .end || decoded.body == body, "bit \(bit) of byte \(index)")
                if decoded.last != .end { found += 1 }
            }
        }
        #expect(found > coded.count * 6)
    }

    @Test func severalMembersAreOneBody() throws {
        let (one, two) = (Bodies.text(500, seed: 4), Bodies.random(500, seed: 5))
        let coded = try Self.gzip(one) + Self.gzip([]) + Self.gzip(two)
        for cut in 0...coded.count {
            let decoded = try Self.decode(coded, cuts: [cut])
            #expect(decoded.last == .end && decoded.body == one + two, "cut at \(cut)")
        }
        let half = try Self.decode(Self.gzip(one) + Self.gzip(two).dropLast())
        #expect(half.last == .needMore)
    }

    static let garbage: [[UInt8]] = [
        [0], [0, 0, 0, 0], Array("x".utf8), Array("<html>".utf8), [0x1f, 0x8c],
    ]

    @Test(arguments: garbage)
    func bytesAfterTheStreamAreRefused(_ garbage: [UInt8]) throws {
        let body = Bodies.text(500, seed: 6)
        let coded = try Self.gzip(body)
        for cuts in [[], [coded.count], [coded.count - 3]] {
            // One byte alone may be the start of a header; two never are.
            let decoded = try Self.decode(coded + garbage + [0xff], cuts: cuts)
            #expect(decoded.last == .malformed && decoded.body == body)
        }
    }

    static let notGzip: [[UInt8]] = [
        Array("plain text".utf8), [0x78, 0x9c, 3, 0, 0, 0, 0, 1], [0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3, 3, 0],
        [0x1f, 0x8b, 8, 0xe0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]

    @Test(arguments: notGzip)
    func aStreamThatIsNotGzipIsRefused(_ bytes: [UInt8]) throws {
        let decoded = try Self.decode(bytes)
        #expect(decoded.last == .malformed && decoded.body.isEmpty)
    }

    /// Ten megabytes in ten kilobytes: no call makes more than its limit, and the buffer need not grow beyond
    /// that.
    @Test func bombsAreBounded() throws {
        let body = [UInt8](repeating: 0, count: 10 << 20)
        let coded = try Self.gzip(body)
        #expect(coded.count < 50_000)
        var decoder = Decoder.made()
        var output = ByteBuffer(capacity: 1_000)
        var offset = 0
        var total = 0
        var step = Decoder.Step.full
        while step == .full {
            step = decoder.decode(coded.span, from: &offset, into: &output, atMost: 1_000)
            #expect(output.count == 1_000 || step == .end)
            total += output.count
            output.removeAll()
        }
        #expect(step == .end && total == body.count && offset == coded.count)
        #expect(output.capacity < 64 * 1024)
    }

    @Test func aMalformedDecoderStaysMalformedUntilReset() throws {
        let coded = try Self.gzip([1, 2, 3])
        var decoder = Decoder.made()
        var output = ByteBuffer(capacity: 1)
        var offset = 0
        let bad = decoder.decode("no gzip".utf8.span, from: &offset, into: &output, atMost: 10)
        offset = 0
        let still = decoder.decode(coded.span, from: &offset, into: &output, atMost: 10)
        #expect(bad == .malformed && still == .malformed && offset == 0 && output.isEmpty)
        decoder.reset()
        let good = decoder.decode(coded.span, from: &offset, into: &output, atMost: 10)
        #expect(good == .end && output.span.copied == [1, 2, 3])
    }

    @Test func theFuzzersCorpusPasses() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fuzz/corpus/Gzip")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        replay(files.map { $0.path() }, checkGzip)
    }
}
