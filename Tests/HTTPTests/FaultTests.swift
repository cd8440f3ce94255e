/// The bytes of a refused head that are at fault.

import Bytes
import HTTP
import Testing

@Test(arguments: [
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1"),
    ("\r\nGET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\u{1} HTTP/1.1"),
    ("GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\nD: e\r\n\r\n", "A b: c"),
    ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", " folded"),
    ("GET / HTTP/1.1\r\nHost: a\r\nB: c\u{0}d\r\n\r\n", "B: c\u{0}d"),
    ("GET / HTTP/1.1\r\nHost: a\r\nB: c\nD: e\r\n\r\n", "B: c\n"),
    ("GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\n"),
    ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "Host: a\rb"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n", "Host: a | host: b"),
    ("GET / HTTP/1.1\r\nX: y\r\n\r\n", ""),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Content-Length: 1 | Transfer-Encoding: chunked"
    ),
    ("FROB / HTTP/2.7\r\nHost: a\r\n\r\n", "FROB / HTTP/2.7"),
    ("GET / HTTP/1.1\r\nHost: a\r\nA b: " + String(repeating: "x", count: 500) + "\r\n\r\n",
        "A b: " + String(repeating: "x", count: 91)),
])
func theFaultOfARequestIsShown(head: String, expected: String) {
    let bytes = Array(head.utf8)
    var request = RequestHead()
    var scan = HeadScan()
    let result = request.parse(bytes.span, limits: HeadLimits(head: 16 << 10, fields: 100), scan: &scan)
    guard case .refused(let refusal) = result else {
        Issue.record("\(result)")
        return
    }
    var out = ByteBuffer(capacity: 16)
    Fault.append(refusal, of: bytes.span, to: &out)
    #expect(out.span.string == expected, "\(refusal)")
}

/// Any bytes under any rule: nothing traps, and no more bytes than the limit are shown.
@Test func theFaultOfAnyBytesIsBounded() {
    let pieces = ["GET / HTTP/1.1\r\n", "\r\n", "\r", "\n", "a: b\r\n", "Host:", ":", " ", "\u{0}", "content-length: 1\n"]
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let bytes = Array((first + second + third).utf8)
                for refusal in BrokenRule.allCases {
                    var out = ByteBuffer(capacity: 16)
                    Fault.append(refusal, of: bytes.span, to: &out)
                    for place in [0, 3, bytes.count, bytes.count + 9] {
                        Fault.append(at: place, of: bytes.span, to: &out)
                    }
                    #expect(out.count <= 5 * Fault.limit)
                }
            }
        }
    }
}

@Test func aBodyIsShownAroundItsFault() {
    let bytes = (0..<200).map { UInt8($0) }
    var out = ByteBuffer(capacity: 16)
    Fault.append(at: 100, of: bytes.span, to: &out)
    #expect(out.count == Fault.limit && out.span[0] == 68)
    out.removeAll()
    Fault.append(at: 2, of: bytes.span, to: &out)
    #expect(out.count == Fault.limit && out.span[0] == 0)
}
