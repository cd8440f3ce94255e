/// The chunked coding: bodies and trailers cut at every place, and every refusal.
import Bytes
import HTTP
import Testing

/// The result of a whole run.
struct Decoded: Equatable {
    var body: [UInt8] = []
    var trailers = ""
    var saw = false
    /// The length of the message in bytes, nil if it did not end.
    var length: Int?
    var refusal: BrokenRule?
}

/// Decodes bytes that arrive in pieces which end at `cuts`, and then the rest.
func decode(_ bytes: [UInt8], cuts: [Int] = [], trailerLimit: Int = 1_000) -> Decoded {
    var decoder = ChunkedDecoder(trailerLimit: trailerLimit)
    var decoded = Decoded()
    var start = 0
    pieces: for end in cuts + [bytes.count] {
        let piece = bytes.span.extracting(start..<end)
        var offset = 0
        while true {
            let (step, next) = decoder.next(piece, from: offset)
            offset = next
            switch step {
            case .data(let range):
                precondition(!range.isEmpty && range.upperBound == next)
                decoded.body += piece.extracting(range).copied
                continue
            case .needMore: precondition(next == piece.count)
            case .end(let index):
                decoded.length = start + index
                break pieces
            case .refused(let refusal):
                decoded.refusal = refusal
                break pieces
            }
            break
        }
        start = end
    }
    decoded.trailers = decoder.trailers.string
    decoded.saw = decoder.sawTrailers
    return decoded
}

struct ChunkedDecoderTests {
    static let good: [(String, String, String)] = [
        ("0\r\n\r\n", "", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello", ""),
        ("1\r\na\r\n2\r\nbc\r\n00\r\n\r\n", "abc", ""),
        ("00000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""),
        ("A\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n", ""),
        ("1;a\r\nx\r\n1;a=b;c=\"d;\t\u{e9}\"\r\ny\r\n0;last\r\n\r\n", "xy", ""),
        // White space beside `;` and `=` has to be accepted (RFC 9112 §7.1.1).
        ("1 ;a\r\nx\r\n1\t; a \t= b ;\tc = \"d\" ; e\r\ny\r\n0 ; last\r\n\r\n", "xy", ""),
        ("1;a=\"\"\r\nx\r\n1;a=\"\\\"\\\\,=;\"\r\ny\r\n0\r\n\r\n", "xy", ""),
        ("1;!#$%&'*+-.^_`|~09AZaz=~;a=a;a\r\nx\r\n0\r\n\r\n", "x", ""),
        ("0\r\nA: b\r\nC:d \r\n\r\n", "", "A: b\r\nC:d \r\n"),
        ("1\r\nx\r\n0\r\nETag: \"e\"\r\n\r\nnext", "x", "ETag: \"e\"\r\n"),
        (
            "0\r\nContent-Length: 1\r\nA: b\r\nTransfer-Encoding: chunked\r\nHost: x\r\nAge: 1\r\n\r\n",
            "", "A: b\r\n"
        ),
    ]

    @Test(arguments: good)
    func aChunkedBodyIsDecoded(_ text: String, _ body: String, _ trailers: String) {
        let bytes = latin1(text)
        let whole = decode(bytes)
        #expect(whole.body == latin1(body))
        #expect(whole.trailers == trailers)
        #expect(whole.saw == text.contains(":"))
        #expect(whole.length == bytes.count - (text.hasSuffix("next") ? 4 : 0))
        for first in 0...bytes.count {
            for second in first...bytes.count { #expect(decode(bytes, cuts: [first, second]) == whole) }
        }
        #expect(decode(bytes, cuts: Array(0...bytes.count)) == whole)
        guard let length = whole.length else { return }
        for end in 0..<length {
            let part = decode(Array(bytes.prefix(end)))
            #expect(part.length == nil && part.refusal == nil && whole.body.starts(with: part.body))
        }
    }

    static let bad: [(String, BrokenRule)] = [
        ("\r\n", .chunk), ("\n", .chunk), ("g\r\n", .chunk), (" 1\r\nx", .chunk), ("1 \r\nx", .chunk),
        ("1\t\r\nx", .chunk), ("-1\r\n", .chunk),
        ("+1\r\nx", .chunk), ("0x1\r\nx", .chunk), ("1\nx\r\n", .chunk), ("1\rx\r\n", .chunk),
        ("1\r\r\n", .chunk), (";a\r\n", .chunk), ("1,\r\n", .chunk),
        ("1\r\nxy\r\n", .chunk), ("1\r\nx\n0\r\n\r\n", .chunk), ("1\r\nx\rx", .chunk),
        ("2\r\nx\r\n0\r\n\r\n", .chunk), ("1;a\nb\r\nx", .chunk),
        ("1;a\0\r\n", .chunk), ("1;a\u{7f}\r\n", .chunk), ("1;\r\r\n", .chunk),
        ("8000000000000000\r\n", .chunk), ("ffffffffffffffff\r\n", .chunk),
        ("10000000000000000\r\n", .chunk), ("00000000000000001\r\n", .chunk),
        ("1;\r\nx", .chunk), ("1;;a\r\nx", .chunk), ("1;a;\r\nx", .chunk), ("1; \r\nx", .chunk),
        ("1 ;\r\nx", .chunk), ("1;a \r\nx", .chunk), ("1;a=b \r\nx", .chunk), ("1;a=\"b\" \r\nx", .chunk),
        ("1;a=\r\nx", .chunk), ("1;a= \r\nx", .chunk), ("1;=b\r\nx", .chunk), ("1;a b\r\nx", .chunk),
        ("1;a=b c\r\nx", .chunk), ("1;a==b\r\nx", .chunk), ("1;bad[=x\r\nx", .chunk),
        ("1;a@b=c\r\nx", .chunk),
        ("1;a=b[\r\nx", .chunk), ("1;a=\"b\r\nx", .chunk), ("1;a=\"b\\\"\r\nx", .chunk),
        ("1;a=\"b\"c\r\nx", .chunk),
        ("1;a=b\"c\"\r\nx", .chunk), ("1;\"a\"\r\nx", .chunk), ("1;a=\"\0\"\r\nx", .chunk),
        ("1;a=\"\\\r\nx", .chunk),
        ("1;a=\"\n\"\r\nx", .chunk), ("1;a\n\r\nx", .chunk), ("1;a\rb\r\nx", .chunk),
        ("1;\u{e9}\r\nx", .chunk),
        ("1 a\r\nx", .chunk), ("1 2\r\nx", .chunk), ("1\u{b};a\r\nx", .chunk), ("0;\r\n\r\n", .chunk),
        ("1,a\r\nx", .chunk), ("1/*\r\nx", .chunk), ("1;a=b,c\r\nx", .chunk), ("1;a=\u{7f}\r\nx", .chunk),
        ("0\r\n\n", .bareLineBreak), ("0\r\n\rX", .bareLineBreak), ("0\r\nA: b\n\r\n", .bareLineBreak),
        ("0\r\nA: b\r\n\n", .bareLineBreak),
        ("0\r\n A: b\r\n\r\n", .fieldLine), ("0\r\nA : b\r\n\r\n", .fieldLine),
        ("0\r\nA: b\r\n c\r\n\r\n", .fieldLine), ("0\r\nA\r\n\r\n", .fieldLine),
        ("0\r\n: a\r\n\r\n", .fieldLine), ("0\r\nA: \0\r\n\r\n", .fieldValue),
        ("0\r\nA: b\rc\r\n\r\n", .bareLineBreak), ("0\r\nHost : x\r\n\r\n", .fieldLine),
        ("0\r\nA: \(String(repeating: "x", count: 1_000))\r\n\r\n", .trailers),
        ("0\r\n\(String(repeating: "x", count: 1_001))", .trailers),
        ("0\r\n\(String(repeating: "A:\r\n", count: 65))\r\n", .trailers),
    ]

    @Test(arguments: bad)
    func aMalformedChunkIsRefused(_ text: String, _ refusal: BrokenRule) {
        let bytes = latin1(text)
        let whole = decode(bytes)
        #expect(whole.refusal == refusal && whole.length == nil)
        for cut in 0...bytes.count {
            let cutDecoded = decode(bytes, cuts: [cut])
            #expect(cutDecoded.refusal == refusal && cutDecoded.body == whole.body)
        }
        #expect(decode(bytes, cuts: Array(0...bytes.count)).refusal == refusal)
    }

    @Test func aRefusedDecoderStaysRefused() {
        var decoder = ChunkedDecoder(trailerLimit: 10)
        let bytes = latin1("x1\r\n")
        for offset in 0...bytes.count {
            let step = decoder.next(bytes.span, from: offset).step
            #expect(step == .refused(.chunk))
        }
    }

    @Test func trailersAreTakenUpToTheirLimit() {
        #expect(decode(latin1("0\r\nA: 45678\r\n\r\n"), trailerLimit: 10).length == 15)
        #expect(decode(latin1("0\r\nA: 456789\r\n\r\n"), trailerLimit: 10).refusal == .trailers)
        #expect(decode(latin1("0\r\nA: \r\nA: \r\n\r\n"), trailerLimit: 10).length == 15)
        #expect(decode(latin1("0\r\nHost:\r\nA: \r\n\r\n"), trailerLimit: 10).refusal == .trailers)
        #expect(decode(latin1("0\r\nA: b\r\n\r\n"), trailerLimit: 0).refusal == .trailers)
    }

    /// 4 KiB in a line and 16 KiB in a message, from the first byte after the size.
    @Test func extensionsAreTakenUpToTheirLimit() {
        func line(_ count: Int) -> String { "1;" + String(repeating: "x", count: count - 1) + "\r\na\r\n" }
        let end = "0\r\n\r\n"
        func outcome(_ text: String) -> Decoded { decode(latin1(text)) }
        #expect(outcome(line(4_096) + end).body == latin1("a"))
        #expect(outcome(line(4_097) + end).refusal == .chunk)
        let four = String(repeating: line(4_096), count: 4)
        #expect(outcome(four + "1\r\nb\r\n" + end).body == latin1("aaaab"))
        #expect(outcome(four + "0;x\r\n\r\n").refusal == .chunk)
        #expect(outcome(String(repeating: line(2), count: 8_192) + end).length != nil)
        #expect(outcome(String(repeating: line(2), count: 8_193) + end).refusal == .chunk)
        // Chunks without extensions do not count.
        #expect(outcome(String(repeating: "1\r\na\r\n", count: 20_000) + end).length != nil)
    }

    @Test func theLargestChunkSizeIsRead() {
        let bytes = latin1("7fffffffffffffff\r\nabc")
        let decoded = decode(bytes)
        #expect(decoded.body == latin1("abc") && decoded.length == nil && decoded.refusal == nil)
    }
}
