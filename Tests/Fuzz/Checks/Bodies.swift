/// Invariants of the chunked decoder and the date parser, for every input. A breach traps.
import Bytes
import HTTP

private struct Decoded: Equatable {
    var body: [UInt8] = []
    var trailers: [UInt8] = []
    var saw = false
    var length: Int?
    var refusal: BrokenRule?
}

private func decode(_ bytes: Span<UInt8>, cuts: some Sequence<Int>) -> Decoded {
    var decoder = ChunkedDecoder(trailerLimit: 256)
    var decoded = Decoded()
    var start = 0
    for end in Array(cuts) + [bytes.count] {
        let piece = bytes.extracting(start..<end)
        var offset = 0
        step: while true {
            let (step, next) = decoder.next(piece, from: offset)
            precondition(next >= offset && next <= piece.count)
            switch step {
            case .data(let range):
                precondition(range.lowerBound >= offset && range.upperBound == next && !range.isEmpty)
                decoded.body += piece.extracting(range).copied
            case .needMore:
                precondition(next == piece.count)
                break step
            case .end(let index): decoded.length = start + index
            case .refused(let refusal): decoded.refusal = refusal
            }
            offset = next
            if decoded.length != nil || decoded.refusal != nil { break }
        }
        if decoded.length != nil || decoded.refusal != nil { break }
        start = end
    }
    // No byte of a refused message is used.
    guard decoded.refusal == nil else { return decoded }
    decoded.trailers = decoder.trailers.copied
    decoded.saw = decoder.sawTrailers
    return decoded
}

/// The outcome does not depend on the cuts. The body, encoded again, decodes to itself. Trailers are lines.
public func checkChunked(_ bytes: Span<UInt8>) {
    let whole = decode(bytes, cuts: [])
    precondition(decode(bytes, cuts: 0..<bytes.count) == whole, "whole and byte by byte differ")
    precondition(decode(bytes, cuts: [bytes.count / 2]) == whole, "whole and halves differ")
    guard let length = whole.length else { return }
    precondition(length <= bytes.count)
    precondition(
        decode(bytes.extracting(first: length - 1), cuts: []).length == nil,
        "complete only with its last byte")
    precondition(whole.trailers.isEmpty || whole.saw)

    var coded: [UInt8] = []
    if !whole.body.isEmpty {
        coded = Array(String(whole.body.count, radix: 16).utf8) + [13, 10] + whole.body + [13, 10]
    }
    coded += Array("0\r\n".utf8) + whole.trailers + [13, 10]
    let again = decode(coded.span, cuts: [])
    precondition(again.body == whole.body && again.trailers == whole.trailers && again.length == coded.count)

    var head = ResponseHead()
    var scan = HeadScan()
    let lines = Array("HTTP/1.1 200\r\n".utf8) + whole.trailers + [13, 10]
    let result = head.parse(
        lines.span, limits: HeadLimits(head: 1_024, fields: 128), scan: &scan, requestMethod: .get)
    precondition(
        result == .complete(lines.count) && head.framing == .untilClose && !head.fields.contains(.connection))
}

/// Input that is read has one of the three forms, and its written form reads the same.
public func checkHTTPDate(_ bytes: Span<UInt8>) {
    let now: Int64 = 1_767_225_600
    guard let seconds = HTTPDate.parse(bytes, now: now) else { return }
    precondition((24...33).contains(bytes.count) && bytes.firstIndex(of: 0x3a) != nil)
    precondition(HTTPDate.range.contains(seconds - 1) || HTTPDate.range.contains(seconds))
    guard HTTPDate.range.contains(seconds) else { return }
    let text = HTTPDate.format(seconds)
    precondition(HTTPDate.parse(text.span, now: now) == seconds)
    // Except for the weekday, which is not compared, and for leap seconds, an IMF-fixdate is written as it
    // was read.
    if bytes.count == 29, bytes[23] != 0x36 {
        precondition(text.span.extracting(3..<29).equals(bytes.extracting(3..<29)))
    }
}
