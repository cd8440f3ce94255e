// A client's condition on a response that is not stored: the client gets its 304 at once. The unwanted body
// closes the origin's connection, unless the body is short.

import DataPlaneHarness
import Settings
import Testing

struct UnstoredConditionTests {
    private static let head =
        "HTTP/1.1 200 OK\r\nCache-Control: private\r\nETag: \"a\"\r\nContent-Type: text/plain\r\n"

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        /// The bytes of the body.
        let count: Int
        /// How many of them come with the head. The rest comes when the client has its 304, or never.
        let first: Int
        var isChunked = false
        var finishes = true
        /// Whether the origin's connection is kept.
        let keeps: Bool
        var testDescription: String { name }
    }

    private static let rows = [
        Row(name: "no byte", count: 0, first: 0, keeps: true),
        Row(name: "all of it with the head", count: 5, first: 5, keeps: true),
        Row(name: "the rest comes later", count: 5, first: 2, keeps: true),
        Row(name: "the limit", count: 65_536, first: 10, keeps: true),
        Row(name: "more than the limit", count: 65_537, first: 10, finishes: false, keeps: false),
        Row(name: "a long one", count: 1 << 30, first: 10, finishes: false, keeps: false),
        Row(name: "chunks", count: 5, first: 2, isChunked: true, keeps: true),
        Row(name: "many chunks", count: 200_000, first: 2, isChunked: true, keeps: false),
    ]

    @Test(arguments: rows) func aShortUnwantedBodyKeepsTheConnection(row: Row) throws {
        let answered = Gate()
        let closed = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                guard request.target == "/" else {
                    try peer.send(answer("next"))
                    continue
                }
                try peer.send(Self.text(row, 0..<row.first))
                try peer.wait(for: answered)
                if row.finishes, row.first < row.count {
                    do {
                        try peer.send(Self.text(row, row.first..<row.count))
                    } catch is Reset {
                        closed.open()
                        return
                    }
                }
                if !row.keeps {
                    _ = try? peer.ending()
                    closed.open()
                    return
                }
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", ["If-None-Match: \"a\""]))
            let answer = try client.receiveAnswer()
            #expect(answer.status == 304 && answer["etag"] == "\"a\"" && answer["content-type"] == nil)
            #expect(answer.cacheStatus == "fwd=miss; detail=private")
            answered.open()
            if !row.keeps { try closed.wait() }
            // The client's connection goes on; the origin's as the row says.
            try stage.settled("the body")
            try client.send(request("GET", "/next"))
            #expect(try client.receiveAnswer().text == "next")
            #expect(origin.seen.map(\.connection) == (row.keeps ? [0, 0] : [0, 1]))
        }
    }

    /// The bytes of the response for this part of its body. The first part has the head in front.
    private static func text(_ row: Row, _ range: Range<Int>) -> String {
        let bytes = String(repeating: "x", count: range.count)
        let isFirst = range.lowerBound == 0
        guard row.isChunked else {
            return (isFirst ? "\(head)Content-Length: \(row.count)\r\n\r\n" : "") + bytes
        }
        let chunk = range.isEmpty ? "" : "\(String(range.count, radix: 16))\r\n\(bytes)\r\n"
        return (isFirst ? "\(head)Transfer-Encoding: chunked\r\n\r\n" : "") + chunk
            + (range.upperBound == row.count ? "0\r\n\r\n" : "")
    }

    /// A tag that Larder itself made weak matches the client's own, as it does for stored responses.
    @Test(arguments: [
        ("\"a\"", 304), ("W/\"a\"", 304), ("\"x\", W/\"a\"", 304), ("*", 304), ("\"b\"", 200),
    ])
    func aConditionMatchesTheTagOfACodedAnswer(tag: String, status: Int) throws {
        let body = String(repeating: "compress me. ", count: 500)
        let origin = try ScriptedOrigin(answering: { _ in
            answer(body, "Cache-Control: private", "ETag: \"a\"", "Content-Type: text/html")
        })
        try withStage(origin) { stage in
            let answer = try stage.ask("GET", "/", "If-None-Match: \(tag)", "Accept-Encoding: gzip")
            #expect(answer.status == status && answer.body.isEmpty == (status == 304))
            #expect(origin.requests[0]["if-none-match"] == nil)
        }
    }

    /// Where the client's condition was passed on, the origin has decided.
    @Test func theOriginsOwnDecisionIsKept() throws {
        let origin = try ScriptedOrigin(answering: { _ in
            answer("whole", "Cache-Control: private", "ETag: \"a\"")
        })
        try withStage(origin) { stage in
            #expect(try stage.ask("GET", "/").status == 200)
            for fields in [["X-A: 1"], ["Authorization: Basic eDp5"], ["Range: bytes=0-1"]] {
                let client = try stage.client()
                try client.send(request("GET", "/", ["If-None-Match: \"a\""] + fields))
                #expect(try client.receiveAnswer().text == "whole")
            }
            #expect(origin.requests.map { $0["if-none-match"] } == [nil, "\"a\"", "\"a\"", "\"a\""])
        }
    }
}
