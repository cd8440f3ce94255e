/// Heads before and after a transform: coded, decoded, and identity heads that could be coded.
import Bytes
import HTTP
import Testing

@testable import Caching

@Suite struct HeadTransformTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let change: HeadTransform.Change
        let before: [String]
        let after: [String]

        init(_ change: HeadTransform.Change, _ before: [String], _ after: [String]) {
            self.change = change
            self.before = before
            self.after = after
        }

        var testDescription: String { "\(change) \(before.joined(separator: " | "))" }
    }

    static let encoded = "Content-Encoding: gzip"
    static let vary = "Vary: Accept-Encoding"

    static let rows: [Row] = [
        Row(
            .none, ["A: b", #"ETag: "x""#, "Accept-Ranges: bytes"],
            ["A: b", #"ETag: "x""#, "Accept-Ranges: bytes"]),
        Row(.varies, ["A: b"], ["A: b", vary]),
        Row(
            .varies, [#"ETag: "x""#, "Accept-Ranges: bytes"], [#"ETag: "x""#, "Accept-Ranges: bytes", vary]),
        Row(.coded(.gzip), ["A: b"], ["A: b", encoded, vary]),
        Row(.coded(.br), [], ["Content-Encoding: br", vary]),
        Row(.coded(.zstd), [], ["Content-Encoding: zstd", vary]),
        Row(.decoded, ["A: b", encoded], ["A: b", vary]),
        Row(.decoded, ["content-encoding: X-Gzip"], [vary]),
        // Vary.
        Row(.varies, ["Vary: accept-encoding"], ["Vary: accept-encoding"]),
        Row(.varies, ["Vary: *"], ["Vary: *"]),
        Row(.varies, ["Vary: Origin"], ["Vary: Origin", vary]),
        Row(.varies, ["Vary: x, Accept-Encoding ,y"], ["Vary: x, Accept-Encoding ,y"]),
        Row(
            .varies, ["Vary: x", "A: b", "vary: Accept-Encoding"],
            ["Vary: x", "A: b", "vary: Accept-Encoding"]),
        Row(.varies, ["Vary: Accept-Encodings"], ["Vary: Accept-Encodings", vary]),
        Row(.varies, ["Vary:"], ["Vary: ", vary]),
        Row(.coded(.gzip), ["Vary: Accept-Encoding"], ["Vary: Accept-Encoding", encoded]),
        Row(.decoded, [encoded, "Vary: *"], ["Vary: *"]),
        // Entity tags.
        Row(.coded(.gzip), [#"ETag: "x""#], [#"ETag: W/"x""#, encoded, vary]),
        Row(.coded(.gzip), [#"etag: W/"x""#], [#"etag: W/"x""#, encoded, vary]),
        Row(.coded(.gzip), [#"ETag: """#], [#"ETag: W/"""#, encoded, vary]),
        Row(.coded(.gzip), [#"ETag: "W/x""#], [#"ETag: W/"W/x""#, encoded, vary]),
        Row(.coded(.gzip), ["ETag: x"], [encoded, vary]),
        Row(.coded(.gzip), [#"ETag: "x"#], [encoded, vary]),
        Row(.coded(.gzip), [#"ETag: w/"x""#], [encoded, vary]),
        Row(.coded(.gzip), [#"ETag: "x"y"#, "ETag:"], [encoded, vary]),
        Row(.decoded, [encoded, #"ETag: "x-gzip""#], [#"ETag: W/"x-gzip""#, vary]),
        // Fields that describe other bytes.
        Row(.coded(.gzip), ["accept-ranges: bytes", "A: b"], ["A: b", encoded, vary]),
        Row(.decoded, [encoded, "Accept-Ranges: bytes", "Content-MD5: x"], [vary]),
        Row(
            .decoded, ["Digest: x", encoded, "Content-Digest: x", "Repr-Digest: x", "A: b"], ["A: b", vary]),
        // All other fields stay unchanged and in order.
        Row(
            .coded(.gzip), ["content-TYPE: text/css", "Last-Modified: y", "Cache-Control: max-age=1", "X:"],
            ["content-TYPE: text/css", "Last-Modified: y", "Cache-Control: max-age=1", "X: ", encoded, vary]),
    ]

    static let date = "Date: Thu, 01 Jan 2026 00:00:00 GMT"

    static func head(_ lines: [String], _ count: Int) -> String {
        "HTTP/1.1 200 OK\r\n" + (lines + ["Content-Length: \(count)"]).map { $0 + "\r\n" }.joined()
    }

    /// Written from the origin's response.
    @Test(arguments: rows)
    func aTransformedHeadIsWritten(_ row: Row) {
        let sample = ResponseSample(200, [Self.date, "Content-Length: 99", "Age: 1"] + row.before)
        let stored = sample.stored(bodyCount: 5, transform: HeadTransform(row.change))
        #expect(stored == Self.head([Self.date] + row.after, 5))
    }

    /// Derived from the stored head.
    @Test(arguments: rows)
    func aTransformedHeadIsDerivedFromTheStoredHead(_ row: Row) {
        let stored = ByteBuffer(ResponseSample(200, [Self.date] + row.before).stored(bodyCount: 99))
        var output = ByteBuffer("before")
        let coding: Codings
        switch row.change {
        case .none, .varies: return
        case .coded(let change): coding = change
        case .decoded: coding = .identity
        }
        let isDerived = StoredHead.derive(
            from: stored.span, coding: coding, bodyCount: 5, limit: 4096, into: &output)
        #expect(isDerived)
        #expect(output.span.string == "before" + Self.head([Self.date] + row.after, 5))
    }

    /// Coded from the identity head that already varies: no field occurs twice.
    @Test func aHeadThatAlreadyVariesGetsNoFieldTwice() {
        let sample = ResponseSample(200, [Self.date, #"ETag: "x""#])
        let identity = ByteBuffer(sample.stored(bodyCount: 99, transform: .varies))
        var coded = ByteBuffer(capacity: 1)
        var decoded = ByteBuffer(capacity: 1)
        let first = StoredHead.derive(
            from: identity.span, coding: .gzip, bodyCount: 5, limit: 4096, into: &coded)
        let second = StoredHead.derive(
            from: coded.span, coding: .identity, bodyCount: 99, limit: 4096, into: &decoded)
        #expect(first && second)
        #expect(coded.span.string == Self.head([Self.date, #"ETag: W/"x""#, Self.vary, Self.encoded], 5))
        #expect(decoded.span.string == Self.head([Self.date, #"ETag: W/"x""#, Self.vary], 99))
    }

    static let underivable: [(head: String, codes: Bool, decodes: Bool)] = [
        ("HTTP/1.1 200 OK\r\nA: b\r\n", true, false),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", false, true),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nContent-Encoding:\r\n", false, false),
        // Heads that `write` did not write.
        ("HTTP/1.1 200 OK\r\nno colon\r\n", false, false), ("HTTP/1.1 200 OK\r\n: b\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nA: b", false, false), ("HTTP/1.1 200 OK", false, false), ("", false, false),
        ("HTTP/1.1 200 OK\r\n\r\n", false, false),
    ]

    @Test(arguments: underivable)
    func aForeignHeadIsNotDerivedFrom(_ row: (head: String, codes: Bool, decodes: Bool)) {
        let head = ByteBuffer(row.head)
        var output = ByteBuffer("before")
        let codes = StoredHead.derive(from: head.span, coding: .br, bodyCount: 5, limit: 4096, into: &output)
        #expect(codes == row.codes)
        if !codes { #expect(output.span.string == "before") }
        output.removeAll()
        let decodes = StoredHead.derive(
            from: head.span, coding: .identity, bodyCount: 5, limit: 4096, into: &output)
        #expect(decodes == row.decodes && decodes != output.isEmpty)
    }

    @Test func aTransformedHeadKeepsItsLimit() {
        let head = ByteBuffer("HTTP/1.1 200 OK\r\nA: b\r\n")
        var output = ByteBuffer(capacity: 1)
        let fits = StoredHead.derive(from: head.span, coding: .br, bodyCount: 5, limit: 4096, into: &output)
        let count = output.count
        output.removeAll()
        let exact = StoredHead.derive(from: head.span, coding: .br, bodyCount: 5, limit: count, into: &output)
        output.removeAll()
        let over = StoredHead.derive(
            from: head.span, coding: .br, bodyCount: 5, limit: count - 1, into: &output)
        #expect(fits && exact && !over && output.isEmpty)
    }
}
