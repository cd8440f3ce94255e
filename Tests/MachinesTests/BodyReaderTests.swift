import Bytes
import Machines
import HTTP
import Testing

/// Every framing, with the input cut at every point: the same body, the same end.
struct BodyReaderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let framing: BodyFraming
        let input: String
        let body: String
        /// Bytes after the message's end.
        let rest: Int
        var testDescription: String { "\(framing) \(input)" }
    }

    static let table: [Case] = [
        Case(framing: .none, input: "next", body: "", rest: 4),
        Case(framing: .length(0), input: "next", body: "", rest: 4),
        Case(framing: .length(5), input: "helloNEXT", body: "hello", rest: 4),
        Case(framing: .chunked, input: "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\nNEXT", body: "hello!", rest: 4),
        Case(framing: .chunked, input: "0\r\n\r\n", body: "", rest: 0),
        Case(framing: .chunked, input: "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", body: "abc", rest: 0),
    ]

    @Test(arguments: table)
    func everySplitGivesTheSameBody(_ row: Case) {
        let count = row.input.utf8.count
        for split in 0...count {
            var reader = BodyReader(row.framing, trailerLimit: 1024)
            var body: [UInt8] = []
            var consumed = 0
            var ended = false
            let bytes = Array(row.input.utf8)
            var limit = split
            while !ended {
                let visible = Array(bytes[consumed..<limit])
                let (step, next) = reader.next(visible.span, from: 0)
                switch step {
                case .data(let range): body += visible[range]
                case .needMore:
                    if limit == count, next == visible.count {
                        Issue.record("no end at split \(split)")
                        return
                    }
                    limit = count
                case .end: ended = true
                case .refused(let refusal):
                    Issue.record("refused \(refusal) at split \(split)")
                    return
                }
                consumed += next
            }
            #expect(String(decoding: body, as: UTF8.self) == row.body)
            #expect(count - consumed == row.rest, "split \(split)")
            let complete = reader.isComplete
            #expect(complete)
        }
    }

    @Test func aCloseEndsOnlyABodyThatItDelimits() {
        var open = BodyReader(.untilClose, trailerLimit: 0)
        let bytes = Array("abc".utf8)
        let (step, next) = open.next(bytes.span, from: 0)
        #expect(step == .data(0..<3))
        #expect(next == 3)
        let closed = open.closed()
        #expect(closed)
        var short = BodyReader(.length(5), trailerLimit: 0)
        _ = short.next(bytes.span, from: 0)
        let whole = short.closed()
        #expect(!whole)
        #expect(!short.isComplete && short.delivered == 3)
        var chunked = BodyReader(.chunked, trailerLimit: 0)
        let chunkedClosed = chunked.closed()
        #expect(!chunkedClosed)
    }
}
