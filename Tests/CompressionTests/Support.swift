/// Reference decoders and inputs.
import Bytes
import CBrotliDecoder
import CZlib
import CZstd
import Compression
import Foundation
import SeededRandom
import Testing

/// Decodes with the library itself: independent of the code under test.
enum Reference {
    /// Everything that decodes so far, and whether the stream is complete with no byte after it.
    static func decode(
        _ bytes: [UInt8], _ coding: ContentCoding, limit: Int
    ) -> (body: [UInt8], isWhole: Bool) {
        switch coding {
        case .gzip: gzip(bytes, limit)
        case .br: brotli(bytes, limit)
        case .zstd: zstd(bytes, limit)
        }
    }

    private static func gzip(_ bytes: [UInt8], _ limit: Int) -> (body: [UInt8], isWhole: Bool) {
        var stream = unsafe z_stream()
        precondition(unsafe larder_inflate_init(&stream, 15) == Z_OK)
        defer { unsafe inflateEnd(&stream) }
        var body = [UInt8](repeating: 0, count: limit + 1)
        let result = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe body.withUnsafeMutableBufferPointer { output in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                return unsafe inflate(&stream, Z_SYNC_FLUSH)
            }
        }
        let count = unsafe Int(stream.total_out)
        return unsafe (Array(body[..<count]), result == Z_STREAM_END && stream.avail_in == 0)
    }

    private static func brotli(_ bytes: [UInt8], _ limit: Int) -> (body: [UInt8], isWhole: Bool) {
        let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil)!
        defer { unsafe BrotliDecoderDestroyInstance(state) }
        var body = [UInt8](repeating: 0, count: limit + 1)
        var (left, room) = (bytes.count, body.count)
        let result = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe body.withUnsafeMutableBufferPointer { output in
                var next = input.baseAddress
                var target = output.baseAddress
                return unsafe BrotliDecoderDecompressStream(state, &left, &next, &room, &target, nil)
            }
        }
        return (Array(body[..<(body.count - room)]), result == BROTLI_DECODER_RESULT_SUCCESS && left == 0)
    }

    private static func zstd(_ bytes: [UInt8], _ limit: Int) -> (body: [UInt8], isWhole: Bool) {
        let state = unsafe ZSTD_createDCtx()!
        defer { unsafe ZSTD_freeDCtx(state) }
        var body = [UInt8](repeating: 0, count: limit + 1)
        let (result, used, made) = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe body.withUnsafeMutableBufferPointer { output in
                var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
                var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
                let result = unsafe ZSTD_decompressStream(state, &target, &source)
                return unsafe (result, source.pos, target.pos)
            }
        }
        return (Array(body[..<made]), result == 0 && used == bytes.count)
    }
}

extension Encoder {
    /// `#require` takes no noncopyable value.
    static func made(_ coding: ContentCoding, _ effort: Effort) -> Encoder {
        guard let encoder = Encoder(coding, effort) else { fatalError("no memory for \(coding)") }
        return encoder
    }
}

extension Decoder {
    static func made() -> Decoder {
        guard let decoder = Decoder() else { fatalError("no memory") }
        return decoder
    }
}

/// Bodies of every kind: empty, one byte, text, incompressible bytes, and bytes that shrink a thousandfold.
enum Bodies {
    static func random(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// A text of words in random order, about as dense as HTML.
    static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        let words = (0..<300).map { index in "<w\(index) class=\"\(index * 7919 % 997)\">" }
        var text: [UInt8] = []
        while text.count < count { text += words.randomElement(using: &random)!.utf8 }
        return Array(text[..<count])
    }

    static var all: [[UInt8]] {
        [
            [], [65], text(100, seed: 1), text(65_536, seed: 2), text(400_000, seed: 3),
            random(1_000, seed: 4),
            random(300_000, seed: 5), [UInt8](repeating: 120, count: 1_000_000),
            sources,
        ]
    }

    /// Real text: this package's own sources.
    static var sources: [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
        var names = FileManager.default.enumerator(atPath: root.path())!.compactMap { $0 as? String }
        names = names.filter { $0.hasSuffix(".swift") }.sorted()
        return names.prefix(40).reduce(into: []) { text, name in
            text += FileManager.default.contents(atPath: root.appending(path: name).path()) ?? Data()
        }
    }
}
