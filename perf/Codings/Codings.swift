/// `codings FILE…` measures the size and the speed of each coding and level on real texts, and the cost of
/// the wrapper compared with zlib itself. It compresses each file as a body of at most 64 KiB, as the store
/// does. The figures are bytes out per byte in, and MB/s of input, the best of several rounds.

import Bytes
import CZlib
import Compression
import Foundation

@main
enum Codings {
    static let largestBody = 64 * 1024
    static let rounds = 5

    static func main() {
        var bodies: [[UInt8]] = []
        for path in CommandLine.arguments.dropFirst() {
            guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { continue }
            bodies.append([UInt8](data.prefix(largestBody)))
        }
        guard !bodies.isEmpty else {
            print("usage: codings FILE…")
            return
        }
        let total = bodies.reduce(0) { $0 + $1.count }
        print("\(bodies.count) bodies of at most 64 KiB, \(total / 1024) KiB in all\n")
        print("| coding | level | window | out/in | MB/s | ms per 64 KiB |")
        print("|---|---|---|---|---|---|")
        for coding in ContentCoding.allCases {
            for level in levels(of: coding) {
                row("\(coding)", level, total, measure(bodies) { compress($0, coding, level) })
            }
        }
        print("\nThe wrapper beside zlib itself, round by round\n")
        print("| level | zlib MB/s | Larder MB/s | time, Larder to zlib |\n|---|---|---|---|")
        for level in [1, 4, 5, 6, 8] as [Int32] { compare(bodies, level, total) }
        print("\nAs a stream of reads of 16 KiB, each flushed, the encoder used again\n")
        print("| coding | level | window | out/in | MB/s | ms per 64 KiB |\n|---|---|---|---|---|---|")
        for coding in ContentCoding.allCases {
            for effort in Effort.allCases {
                row("\(coding) \(effort)", Level(coding, effort), total, stream(bodies, coding, effort))
            }
        }
    }

    static func levels(of coding: ContentCoding) -> [Level] {
        switch coding {
        case .gzip: return (1...9).map { Level(level: $0, window: 15) }
        case .br: return (1...9).map { Level(level: $0, window: 16) }
        case .zstd:
            let chosen = Effort.allCases.map { Level(.zstd, $0) }
            return chosen
                + [1, 3, 5, 7, 9, 10, 11, 12, 13, 15].map { Level(level: $0, window: 18) }
        }
    }

    static func row(_ name: String, _ level: Level, _ total: Int, _ figures: (out: Int, seconds: Double)) {
        let speed = Double(total) / figures.seconds / 1e6
        let ratio = String(format: "%.4f", Double(figures.out) / Double(total))
        let each = String(format: "%.2f", 65536 / speed / 1e3)
        print("| \(name) | \(level.level) | \(level.window) | \(ratio) | \(Int(speed)) | \(each) |")
    }

    /// The best round of each. They run in turn, under the same conditions.
    static func compare(_ bodies: [[UInt8]], _ level: Int32, _ total: Int) {
        var (alone, wrapped) = (Double.infinity, Double.infinity)
        for _ in 0..<3 * rounds {
            alone = min(alone, seconds { for body in bodies { _ = ZlibAlone.compress(body, level) } })
            wrapped = min(
                wrapped,
                seconds {
                    for body in bodies { _ = compress(body, .gzip, Level(level: level, window: 15)) }
                })
        }
        let (one, two) = (Double(total) / alone / 1e6, Double(total) / wrapped / 1e6)
        print("| \(level) | \(Int(one)) | \(Int(two)) | \(String(format: "%.3f", wrapped / alone)) |")
    }

    static func seconds(_ work: () -> Void) -> Double {
        let start = ContinuousClock.now
        work()
        let taken = (ContinuousClock.now - start).components
        return Double(taken.seconds) + Double(taken.attoseconds) / 1e18
    }

    /// The bytes out of one round, and the seconds of the fastest round.
    static func measure(_ bodies: [[UInt8]], _ compress: ([UInt8]) -> Int) -> (out: Int, seconds: Double) {
        var best = Double.infinity
        var out = 0
        for _ in 0..<rounds {
            out = 0
            best = min(best, seconds { for body in bodies { out += compress(body) } })
        }
        return (out, best)
    }

    /// Uses a new encoder for each body, as Larder does.
    static func compress(_ body: [UInt8], _ coding: ContentCoding, _ level: Level) -> Int {
        guard var encoder = Encoder(coding, level) else { preconditionFailure("no memory") }
        var output = ByteBuffer(capacity: body.count / 2 + 64)
        guard encoder.encode(body.span, .finish, into: &output) else {
            preconditionFailure("\(coding) failed")
        }
        return output.count
    }

    static func stream(
        _ bodies: [[UInt8]], _ coding: ContentCoding, _ effort: Effort
    ) -> (out: Int, seconds: Double) {
        guard var encoder = Encoder(coding, effort) else { preconditionFailure("no memory") }
        var output = ByteBuffer(capacity: 16 * 1024)
        return measure(bodies) { body in
            guard encoder.reset(effort) else { preconditionFailure("no memory") }
            var out = 0
            var start = 0
            while start < body.count {
                let end = min(start + 16 * 1024, body.count)
                output.removeAll()
                guard encoder.encode(body.span.extracting(start..<end), .flush, into: &output) else {
                    preconditionFailure("\(coding) failed")
                }
                out += output.count
                start = end
            }
            output.removeAll()
            guard encoder.encode(Span(), .finish, into: &output) else {
                preconditionFailure("\(coding) failed")
            }
            return out + output.count
        }
    }
}

/// zlib, used as its manual says, for comparison.
enum ZlibAlone {
    static func compress(_ body: [UInt8], _ level: Int32) -> Int {
        var stream = unsafe z_stream()
        guard unsafe larder_deflate_init(&stream, level, 15, 8) == Z_OK else {
            preconditionFailure("no memory")
        }
        let capacity = unsafe Int(deflateBound(&stream, UInt(body.count)))
        let output = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        unsafe body.withUnsafeBufferPointer { input in
            unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.avail_in = UInt32(input.count)
            unsafe stream.next_out = output
            unsafe stream.avail_out = UInt32(capacity)
            guard unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END else {
                preconditionFailure("zlib failed")
            }
        }
        let count = unsafe Int(stream.total_out)
        unsafe deflateEnd(&stream)
        unsafe output.deallocate()
        return count
    }
}
