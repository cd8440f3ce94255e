/// The fuzzers' corpora as ordinary tests: every file runs through its check, which traps on a breach.
import Bytes
import Foundation
import FuzzChecks
import Testing

struct FuzzCorpusTests {
    @Test func requestHeadsKeepTheirInvariants() throws { try run("RequestHead", checkRequestHead) }
    @Test func responseHeadsKeepTheirInvariants() throws { try run("ResponseHead", checkResponseHead) }
    @Test func chunkedBodiesKeepTheirInvariants() throws { try run("Chunked", checkChunked) }
    @Test func datesKeepTheirInvariants() throws { try run("HTTPDate", checkHTTPDate) }

    /// The hand-written corpus too: input that the tables refuse must keep the invariants.
    @Test func theHandWrittenTablesKeepTheInvariants() {
        for text in RequestCorpus.all { checkRequestHead(latin1(text).span) }
        for text in ResponseCorpus.all { checkResponseHead(latin1(text).span) }
        for (text, _) in ChunkedDecoderTests.bad { checkChunked(latin1(text).span) }
        for (text, _, _) in ChunkedDecoderTests.good { checkChunked(latin1(text).span) }
    }

    func run(_ name: String, _ check: (Span<UInt8>) -> Void) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fuzz/corpus/\(name)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        replay(files.map { $0.path() }, check)
    }
}
