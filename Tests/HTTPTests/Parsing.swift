/// Shared by the tests: heads parsed from text into values that can be compared, in one piece or cut
/// anywhere.
import Bytes
import HTTP

let roomy = HeadLimits(head: 16_384, fields: 100)

/// A parsed head, as text.
struct Parsed: Equatable {
    var result: HeadResult
    var text: [String] = []
    var framing = BodyFraming.none
    var flags: [Bool] = []
}

extension Span<UInt8> {
    func text(_ slice: Slice) -> String { self.slice(slice).string }
}

func fieldTexts(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> [String] {
    (0..<fields.count).map { index in
        let field = fields[index]
        return "\(bytes.text(field.name))=\(bytes.text(field.value)) (\(field.id))"
    }
}

/// Parses a request that arrives in pieces which end at `cuts`, and then the rest. Stops at the first
/// verdict.
func parseRequest(_ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = roomy) -> Parsed {
    var head = RequestHead()
    return parseRequest(bytes, into: &head, cuts: cuts, limits: limits)
}

/// Like the function above, into a head that may have been parsed into before.
func parseRequest(
    _ bytes: [UInt8], into head: inout RequestHead, cuts: [Int] = [], limits: HeadLimits = roomy
) -> Parsed {
    var scan = HeadScan()
    for end in cuts + [bytes.count] {
        let span = bytes.span.extracting(first: end)
        let result = head.parse(span, limits: limits, scan: &scan)
        if result == .needMore { continue }
        guard case .complete = result else { return Parsed(result: result) }
        return Parsed(
            result: result,
            text: [
                "\(head.method)", span.text(head.methodName), span.text(head.target), "\(head.form)",
                span.text(head.path),
                span.text(head.query), span.text(head.authority), span.text(head.host),
                "\(head.port.map(Int.init) ?? -1)", "\(head.minorVersion)",
            ] + fieldTexts(head.fields, span),
            framing: head.framing,
            flags: [
                head.hasQuery, head.keepAlive, head.expectsContinue, head.upgradesToWebSocket,
                head.connection.other,
                head.connection.close, head.schemeIsHTTPS,
            ])
    }
    return Parsed(result: .needMore)
}

func parseResponse(
    _ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = roomy, method: HTTP.Method = .get
) -> Parsed {
    var head = ResponseHead()
    var scan = HeadScan()
    for end in cuts + [bytes.count] {
        let span = bytes.span.extracting(first: end)
        let result = head.parse(span, limits: limits, scan: &scan, requestMethod: method)
        if result == .needMore { continue }
        guard case .complete = result else { return Parsed(result: result) }
        return Parsed(
            result: result,
            text: ["\(head.status)", span.text(head.reason), "\(head.minorVersion)"]
                + fieldTexts(head.fields, span),
            framing: head.framing, flags: [head.keepAlive, head.connection.other, head.connection.close])
    }
    return Parsed(result: .needMore)
}

/// The bytes of a text in a test table: one byte a scalar (U+0080 to U+00FF stand for obs-text).
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }
