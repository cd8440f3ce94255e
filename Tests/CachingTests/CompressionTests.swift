/// Which answers are compressed, in which coding, and what their heads become.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct CompressionTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let status: Int
        let headers: [String]
        let isCompressible: Bool
        var method = HTTP.Method.get

        init(_ status: Int, _ headers: [String], _ isCompressible: Bool, _ method: HTTP.Method = .get) {
            self.status = status
            self.headers = headers
            self.isCompressible = isCompressible
            self.method = method
        }

        var testDescription: String { "\(method) \(status) \(headers.joined(separator: " | "))" }
    }

    static let long = "Content-Length: 9000"

    static let rows: [Row] = [
        // Types.
        Row(200, [long, "Content-Type: text/html"], true),
        Row(200, [long, "Content-Type: TEXT/Css ; charset=utf-8"], true),
        Row(200, [long, "content-type: application/json;charset=utf-8"], true),
        Row(200, [long, "Content-Type: application/jsonx"], false),
        Row(200, [long, "Content-Type: application/javascript"], true),
        Row(200, [long, "Content-Type: text/"], false),
        Row(200, [long, "Content-Type: text/ ;charset=utf-8"], false),
        Row(200, [long, "Content-Type: application/javascript\t;x"], true),
        Row(200, [long, "Content-Type: application/javascript x"], false),
        Row(200, [long, "Content-Type: application/javascripx"], false),
        Row(200, [long, "Content-Type: text"], false),
        Row(200, [long, "Content-Type: textual/html"], false),
        Row(200, [long, "Content-Type: image/png"], false),
        Row(200, [long, "Content-Type: image/svg+xml"], true),
        Row(200, [long, "Content-Type: image/png;x=text/html"], false),
        Row(200, [long, "Content-Type:"], false),
        Row(200, [long], false),
        Row(200, [long, "Content-Type: text/html", "Content-Type: text/html"], false),
        // Statuses.
        Row(404, [long, "Content-Type: text/html"], true),
        Row(500, [long, "Content-Type: text/html"], true),
        Row(206, [long, "Content-Type: text/html", "Content-Range: bytes 0-8999/9001"], false),
        Row(206, [long, "Content-Type: text/html"], false),
        Row(204, ["Content-Type: text/html"], false),
        Row(205, ["Content-Type: text/html", "Content-Length: 9000"], false),
        Row(304, [long, "Content-Type: text/html"], false),
        Row(103, ["Content-Type: text/html"], false),
        Row(200, [long, "Content-Type: text/html", "Content-Range: bytes 0-8999/9001"], false),
        // Sizes.
        Row(200, ["Content-Length: 512", "Content-Type: text/html"], true),
        Row(200, ["Content-Length: 511", "Content-Type: text/html"], false),
        Row(200, ["Content-Length: 0", "Content-Type: text/html"], false),
        Row(200, ["Transfer-Encoding: chunked", "Content-Type: text/html"], true),
        Row(200, ["Content-Type: text/html"], true),
        // HEAD: like GET.
        Row(200, ["Content-Length: 512", "Content-Type: text/html"], true, .head),
        Row(200, ["Content-Length: 511", "Content-Type: text/html"], false, .head),
        Row(200, ["Content-Type: text/html"], true, .head),
        Row(200, ["Content-Length: 9000", "Content-Type: image/png"], false, .head),
        // Promises.
        Row(200, [long, "Content-Type: text/html", "Cache-Control: no-transform"], false),
        Row(200, [long, "Content-Type: text/html", "Cache-Control: max-age=60, No-Transform"], false),
        Row(200, [long, "Content-Type: text/html", "Cache-Control: max-age=60 no-transform"], false),
        Row(
            200,
            [long, "Content-Type: text/html", "Cache-Control: max-age=60", "Cache-Control: no-transform"],
            false),
        Row(200, [long, "Content-Type: text/html", "Cache-Control: no-transfor"], true),
        Row(200, [long, "Content-Type: text/html", "Cache-Control: max-age=60, must-revalidate"], true),
        // A targeted field neither forbids nor allows compression.
        Row(200, [long, "Content-Type: text/html", "CDN-Cache-Control: no-transform"], true),
        Row(
            200,
            [long, "Content-Type: text/html", "CDN-Cache-Control: max-age=1", "Cache-Control: no-transform"],
            false),
        // Bytes that a field vouches for, or that are already coded.
        Row(200, [long, "Content-Type: text/html", "Content-Encoding: gzip"], false),
        Row(200, [long, "Content-Type: text/html", "Content-Encoding:"], false),
        Row(200, [long, "Content-Type: text/html", "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ=="], false),
        Row(200, [long, "Content-Type: text/html", "digest: sha-256=x"], false),
        Row(200, [long, "Content-Type: text/html", "CONTENT-DIGEST: sha-256=:x:"], false),
        Row(200, [long, "Content-Type: text/html", "Repr-Digest: sha-256=:x:"], false),
        Row(
            200, ["Transfer-Encoding: chunked", "Content-Type: text/html", "Trailer: Content-Digest"], false),
        Row(200, [long, "Content-Type: text/html", "Want-Content-Digest: sha-256=1", "ETag: \"a\""], true),
    ]

    @Test(arguments: rows)
    func onlySuitableAnswersAreCompressible(_ row: Row) {
        let sample = ResponseSample(row.status, row.headers, method: row.method)
        let rules = CompressionRules(Policy.Compress())
        let verdict = rules.isCompressible(sample.head, sample.buffer.span)
        #expect(verdict == row.isCompressible)
        var none = Policy.Compress()
        none.codings = []
        let never = CompressionRules(none).isCompressible(sample.head, sample.buffer.span)
        #expect(!never)
    }

    /// The stored head forbids compression where the response did.
    @Test(arguments: rows)
    func aStoredHeadGivesTheSameVerdict(_ row: Row) throws {
        guard row.status >= 200 else { return }
        let sample = ResponseSample(row.status, row.headers, method: row.method)
        let length = row.headers.first { $0.hasPrefix("Content-Length:") }
        let count = length.flatMap { Int($0.dropFirst(16)) } ?? 9000
        // Trailers are not stored, and no response with trailers is stored either.
        guard !row.headers.contains(where: { $0.hasPrefix("Trailer") }) else { return }
        let head = ByteBuffer(sample.stored(bodyCount: count))
        let forbids = row.headers.contains {
            $0.hasPrefix("Cache-Control") && $0.lowercased().contains("no-transform")
        }
        #expect(StoredHead.forbidsTransform(head.span) == forbids)
    }

    @Test func aPolicyMayListOtherTypes() {
        let sample = ResponseSample(200, ["Content-Type: application/x-font; a=b", "Content-Length: 1"])
        var policy = Policy.Compress()
        policy.minBodyBytes = 0
        func verdict(_ types: [String]) -> Bool {
            policy.types = types
            return CompressionRules(policy).isCompressible(sample.head, sample.buffer.span)
        }
        #expect(verdict(["application/*"]) && verdict(["text/*", "application/x-font"]))
        #expect(!verdict([]) && !verdict(["application/x-fon"]) && !verdict(["application/x-font2"]))
        let empty = ResponseSample(200, ["Content-Type: application/x-font", "Content-Length: 0"])
        policy.types = ["application/*"]
        let shrinksNothing = CompressionRules(policy).isCompressible(empty.head, empty.buffer.span)
        #expect(!shrinksNothing)
    }

    static let choices: [(codings: [Policy.Compress.Coding], accepted: Codings, chosen: Codings?)] = [
        ([.br, .gzip], [.identity, .gzip, .br], .br), ([.gzip, .br], [.identity, .gzip, .br], .gzip),
        ([.br, .gzip], [.identity, .gzip], .gzip), ([.br, .gzip], .identity, nil),
        ([.br, .gzip], [.identity, .zstd], nil), ([.zstd], .all, .zstd), ([], .all, nil),
        ([.br, .gzip], [], nil), ([.br, .gzip], [.gzip], .gzip),
    ]

    @Test(arguments: choices)
    func theCodingFollowsPolicyAndClient(_ row: (codings: [Policy.Compress.Coding], accepted: Codings, chosen: Codings?)) {
        var policy = Policy.Compress()
        policy.codings = row.codings
        #expect(CompressionRules(policy).choose(accepted: row.accepted) == row.chosen)
    }
}
